/** JSON records into columns, with types that the connector declares. */

import { type Cell, type Column, type Rows, Schema } from "../arrow.ts";
import { SourceError } from "../errors.ts";
import { notFound } from "../source.ts";
import { follow, type Json, kind, path } from "./json.ts";
import { JSON, type Type } from "./types.ts";

/** What more there is to say of a column. */
export interface ColumnOptions {
  /** Where it is in a record: a JSON pointer; below its name otherwise. */
  at?: string;
  description?: string;
}

/** A column, and where in a record it is. */
export class Field {
  readonly at: string;
  private readonly path: string[];

  constructor(
    readonly name: string,
    readonly type: Type,
    readonly nullable: boolean,
    private readonly options: ColumnOptions,
  ) {
    this.at = options.at ?? `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    this.path = path(this.at);
  }

  /** The value of a record. */
  of(record: Json): Cell {
    const value = follow(record, this.path);
    if (value === null) {
      if (this.nullable) return null;
      throw new SourceError("protocol", `field "${this.at}" is missing or null, and must not be`);
    }
    const found = this.type.convert(value);
    if (found === undefined) {
      throw new SourceError("protocol", `field "${this.at}" is ${kind(value)}, and should be ${this.type.wants}`);
    }
    return found;
  }

  /** As Arrow has it. */
  column(): Column {
    const metadata = new Map<string, string>();
    if (this.type === JSON) metadata.set("sluice:logical-type", "json");
    if (this.options.description !== undefined) metadata.set("sluice:description", this.options.description);
    return { name: this.name, type: this.type.arrow, nullable: this.nullable, metadata };
  }
}

/** The columns of a resource, in order. */
export class Columns {
  constructor(readonly fields: Field[] = []) {}

  /** Adds a column whose field every record has. */
  required(name: string, type: Type, options: ColumnOptions = {}): Columns {
    return new Columns([...this.fields, new Field(name, type, false, options)]);
  }

  /** Adds a column whose field may be null or missing. */
  optional(name: string, type: Type, options: ColumnOptions = {}): Columns {
    return new Columns([...this.fields, new Field(name, type, true, options)]);
  }

  /** The columns as Arrow has them. */
  schema(): Schema {
    return new Schema(this.fields.map((field) => field.column()));
  }

  /** Only these columns, in this order; all of them if none is named. */
  select(names: string[]): Columns {
    return names.length === 0 ? this : new Columns(names.map((name) => this.named(name)));
  }

  /** The column of this name. */
  named(name: string): Field {
    const found = this.fields.find((field) => field.name === name);
    if (found !== undefined) return found;
    throw notFound(
      "column",
      name,
      this.fields.map((field) => field.name),
    );
  }

  /** Adds a record's values to rows of this schema. */
  append(rows: Rows, record: Json): void {
    if (record === null || typeof record !== "object" || Array.isArray(record)) {
      throw new SourceError("protocol", `it is ${kind(record)}, and a record is an object`);
    }
    rows.append(this.fields.map((field) => field.of(record)));
  }
}
