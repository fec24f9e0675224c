/** `geodns365 token`: a new token for the admin API, and the hash of it that the configuration holds. */

import { hashToken, newToken } from "../admin/token.ts";
import { EXIT } from "./exit.ts";

export function tokenCommand({ json }: { readonly json: boolean }): number {
  const token = newToken();
  const tokenHash = hashToken(token);
  if (json) {
    console.log(JSON.stringify({ token, tokenHash }, null, 2));
    return EXIT.good;
  }
  console.log(`token      ${token}`);
  console.log(`tokenHash  ${tokenHash}`);
  console.error(
    "keep the token, as GEODNS365_TOKEN or in a file for --token-file; set admin.tokenHash in the configuration to the hash",
  );
  return EXIT.good;
}
