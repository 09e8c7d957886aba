/** What connectors of HTTP JSON APIs share: requests that wait and try again, pages, columns, increments, and the four verbs. */

export { type Answer, Api, type ApiOptions } from "./client.ts";
export { Columns } from "./columns.ts";
export { Increment, type IncrementOptions } from "./increment.ts";
export { Paging } from "./page.ts";
export { type Resource, Resources } from "./resource.ts";
export * as types from "./types.ts";
