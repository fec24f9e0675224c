/** The two kinds of names whose answers depend on who asks or on states. */

import type { ServiceName } from "./chain.ts";
import type { RecordsName } from "./record-rules.ts";

export type TailoredName = ServiceName | RecordsName;
