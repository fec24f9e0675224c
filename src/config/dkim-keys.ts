/**
 * The lab's public keys for DKIM, RSA of 2048 bits, by selector. Nobody has the private halves, so nothing that is signed
 * verifies with them: who signs mail in a lab sets `dkim` in the settings to the public half of a pair of his own.
 */
export const labKeys: Readonly<Record<string, string>> = {
  selector1:
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsAuknQTY3VKfFaGinjPqz+kuwz1sBNp0cbz20Cjyd6QrJUvgVILI+vGWHQFOtn4WIvXga3iTFnzN9lK2wiufLjTXaz4+vjcN8S5cglvXy/WkP8EMQ+Izz2s9GggIYhwuDnezwoWseQ3qFR8Ew2/lVSkI9Mw+BbQ8TI9p5mVb+AiG/HJWahfUnaC0c5pbuV8bU7H4kjTAA9kLB9WSmuxsbfOkyCVnqrWIMOlp6zg9D5OPVJmcxESa2rTHb44so5mcF6Sdi8tFqGTv3+TfVO8T6f02rHniNOVmaP7BUovGWL+E/i8eS6+iT01MxLfHWiKJR9aclxXH4CYjsVbVj8CTIQIDAQAB",
  selector2:
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqIVnZDU35DnOnxBZj/uiMKavs3aa6TaKLEEd/YwmuYhG/74QjM7aSwhIpq9Zrh1u0Szm1M4iGhQlaxJ9/n2K5XXibqxj5kIhrpIcJ7zpokQVdSpHpdyBfZDELg9x76i+z/O+dVFQzPwSUwSYmWIZSYKFKCQj0wO6hTZlCoYjk29ZhUUy7I5M3ecvXUkLK4Oy6Omnt+X+AAnRt8FaTHDj/f2L2or7iwMyuu0J9LxVunRCs1w3ld7vPJi/XsFnqVi+xh7FOCQJaXktzRttEINJokv+iSMA+N6cLnfCTJDeFuSFRZwRZUGgRueoYE/WdmbIrfVykwhnNHK1B1IIRovFCwIDAQAB",
};
