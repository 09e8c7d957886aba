/** What a connector says of itself: its configuration and its manifest, declared in code and read without running it in the sandbox. */

import { SourceError } from "./errors.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A field of a configuration: its JSON Schema, and whether it must be there. */
export interface Field<T> {
  schema: { [name: string]: Json };
  required: boolean;
  fits(value: unknown): value is T;
}

/** What more there is to say of a field; other members go into its JSON Schema: `format`, `minimum`, `pattern`. */
export interface More {
  title?: string;
  example?: Json;
  default?: Json;
  optional?: boolean;
  [name: string]: Json | undefined;
}

function field<T>(type: { [name: string]: Json }, fits: (value: unknown) => boolean, description: string, more: More): Field<T> {
  const { example, optional, ...rest } = more;
  const schema: { [name: string]: Json } = { ...type, description };
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) schema[name] = value;
  if (example !== undefined) schema.examples = [example];
  return { schema, required: !optional && more.default === undefined, fits: fits as (value: unknown) => value is T };
}

/** A text. */
export const text = (description: string, more: More = {}): Field<string> =>
  field({ type: "string" }, (value) => typeof value === "string", description, more);

/** A whole number. */
export const integer = (description: string, more: More = {}): Field<number> =>
  field({ type: "integer" }, Number.isSafeInteger, description, more);

/** A number. */
export const number = (description: string, more: More = {}): Field<number> =>
  field({ type: "number" }, (value) => typeof value === "number", description, more);

/** True or false. */
export const flag = (description: string, more: More = {}): Field<boolean> =>
  field({ type: "boolean" }, (value) => typeof value === "boolean", description, more);

/** One of some texts. */
export const choice = <T extends string>(of: T[], description: string, more: More = {}): Field<T> =>
  field({ type: "string", enum: of }, (value) => of.includes(value as T), description, more);

/** A list of texts. */
export const texts = (description: string, more: More = {}): Field<string[]> =>
  field(
    { type: "array", items: { type: "string" } },
    (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
    description,
    more,
  );

/** A secret, which may be left out. It stays with the host unless the manifest lists it under `secretsInside`. */
export const secret = (description: string, more: More = {}): Field<string> =>
  text(description, { ...more, optional: true, format: "password", writeOnly: true });

/** The fields of a configuration, by their names. */
export type Fields = { [name: string]: Field<unknown> };

/** What fields hold; what may be left out is undefined then. */
export type ValuesOf<F> = { [name in keyof F]: F[name] extends Field<infer T> ? T : never };

/** What a configuration holds. */
export type Values<C> = C extends Config<infer F> ? ValuesOf<F> : never;

/** A configuration. */
export class Config<F extends Fields> {
  constructor(
    private readonly fields: F,
    private readonly description: string,
  ) {}

  /** Its JSON Schema. */
  schema(): Json {
    const fields = Object.entries(this.fields);
    return {
      description: this.description,
      type: "object",
      properties: Object.fromEntries(fields.map(([name, field]) => [name, field.schema])),
      required: fields.filter(([, field]) => field.required).map(([name]) => name),
      additionalProperties: false,
      "x-order": fields.map(([name]) => name),
    };
  }

  /** Reads it from JSON. The host has validated it; what does not fit all the same is an error that names the field. */
  parse(json: string): ValuesOf<F> {
    const given = JSON.parse(json) as { [name: string]: unknown };
    for (const name of Object.keys(given)) {
      if (!(name in this.fields)) throw new SourceError("config", `there is no field ${name}`, { field: `/${name}` });
    }
    const values: { [name: string]: unknown } = {};
    for (const [name, field] of Object.entries(this.fields)) {
      const value = given[name] ?? field.schema.default;
      if (value === undefined || value === null) {
        if (field.required) throw new SourceError("config", `the field ${name} is missing`, { field: `/${name}` });
      } else if (field.fits(value)) {
        values[name] = value;
      } else {
        throw new SourceError("config", `the field ${name} is not what it should be`, { field: `/${name}` });
      }
    }
    return values as ValuesOf<F>;
  }
}

/** A configuration of these fields. */
export const config = <F extends Fields>(description: string, fields: F): Config<F> => new Config(fields, description);

/** What a connector is called, what it asks to reach and what it can do. Fields as in wit/README.md. */
export interface Manifest<C extends Config<Fields>> {
  name: string;
  version: string;
  title: string;
  description: string;
  config: C;
  publisher?: string;
  docs?: string;
  icon?: string;
  hosts?: string[];
  /** How the host signs requests, e.g. `{ scheme: "header", name: "X-Api-Key", value: "api_key" }`. */
  auth?: { scheme: string; [told: string]: Json }[];
  secretsInside?: string[];
  folders?: string[];
  capabilities?: ("incremental" | "splits" | "estimate" | "filter" | "changed_files")[];
  memoryBytes?: number;
}

/** A manifest as it is written into the component. */
export function manifestJson(manifest: Manifest<Config<Fields>>): string {
  const { name, version, title, description } = manifest;
  return JSON.stringify({
    contract: "0.1",
    name,
    version,
    title,
    description,
    publisher: manifest.publisher ?? "",
    docs: manifest.docs ?? "",
    icon: manifest.icon ?? "",
    config: manifest.config.schema(),
    secrets: { inside: manifest.secretsInside ?? [] },
    hosts: manifest.hosts ?? [],
    auth: manifest.auth ?? [],
    folders: manifest.folders ?? [],
    capabilities: Object.fromEntries((manifest.capabilities ?? []).map((can) => [can, true])),
    memory_bytes: manifest.memoryBytes,
  });
}
