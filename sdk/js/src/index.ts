/**
 * What the author of a Sluice connector in JavaScript or TypeScript works with.
 *
 * Implement `Source`, describe it with a manifest and its configuration with `config`, and end the module with
 * `export const source = exported(YourSource, manifest)`. `sluice connector build` makes a component of it. `sluice-sdk/api` has what
 * connectors of HTTP JSON APIs share. Everything is synchronous: in the sandbox a call of the host waits for its answer.
 *
 * The package knows the contract (`wit/`) and nothing of the host, and needs no other package.
 */

export * from "./arrow.ts";
export * from "./errors.ts";
export { exported } from "./export.ts";
export * as http from "./http.ts";
export * as items from "./items.ts";
export * as log from "./log.ts";
export * from "./manifest.ts";
export * as net from "./net.ts";
export { Channel, Output } from "./output.ts";
export * from "./source.ts";
