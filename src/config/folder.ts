/** Whether files lie in the folder of the configuration, where what it reads and runs of others' files must be. */

import { realpathSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";

/** Whether a path without symbolic links lies below a folder. */
export function isBelow(realPath: string, folder: string): boolean {
  const way = relative(realpathSync(folder), realPath);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
