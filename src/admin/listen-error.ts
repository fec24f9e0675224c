/** An address that the admin API cannot be served on, and why. Apart from the API, which is loaded only where it is served. */
export class AdminListenError extends Error {}
