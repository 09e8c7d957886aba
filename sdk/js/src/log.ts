/** The connector's log. Lines are cut at 4 KiB, and the host takes secrets out of them. */

import { write } from "sluice:source/log@0.1.0";

/** For whoever writes the connector. */
export const debug = (message: string): void => write("debug", message);
/** What happened. */
export const info = (message: string): void => write("info", message);
/** What somebody should look at. */
export const warn = (message: string): void => write("warn", message);
/** What failed. */
export const error = (message: string): void => write("error", message);
