/** Hands the same rows over again and again, in each of the ways that there are: `cargo xtask bench columns`. */

import { pushColumns } from "sluice:source/output@0.1.0";

import { BOOL, type Cell, config, exported, FLOAT, INT, integer, Rows, Schema, SourceError, TEXT, TIMESTAMP, text } from "sluice-sdk";
import type { CheckStep, DiscoverPage, Output, Plan, Source, Split, Values } from "sluice-sdk";

const rowsConfig = config("What to hand over.", {
  way: text("`arrow`: columns that are there; `builder`: row by row; `columns`: the contract's `push-columns`."),
  rows: integer("Rows altogether."),
  batch: integer("Rows of a batch."),
});

const schema = new Schema([
  { name: "id", type: INT, nullable: false },
  { name: "name", type: TEXT, nullable: true },
  { name: "price", type: FLOAT, nullable: true },
  { name: "at", type: TIMESTAMP, nullable: true },
  { name: "paid", type: BOOL, nullable: true },
]);

/** Rows that are there before the first is handed over. */
class Ways implements Source {
  constructor(private readonly config: Values<typeof rowsConfig>) {}

  check(): CheckStep[] {
    return [{ name: "rows", outcome: "passed", detail: "there are rows" }];
  }

  discover(): DiscoverPage {
    return { streams: [] };
  }

  plan(): Plan {
    return {
      streams: [{ id: "numbers", schema, stateAfter: new Uint8Array() }],
      splits: [{ id: "all", streams: ["numbers"], descriptor: new Uint8Array() }],
    };
  }

  read(_split: Split, _start: Uint8Array | undefined, output: Output): void {
    const { way, batch, rows: all } = this.config;
    const ids = Array.from({ length: batch }, (_, id) => id);
    const columns: Cell[][] = [
      ids.map(BigInt),
      ids.map((id) => (id % 7 === 0 ? null : `name ${id}`)),
      ids.map((id) => id / 7),
      ids.map((id) => 1_700_000_000_000_000n + BigInt(id)),
      ids.map((id) => id % 2 === 0),
    ];
    const rows = ids.map((id) => columns.map((column) => column[id] ?? null));
    const there = columns.map((column) => column.map((value) => value ?? undefined));
    const kinds = ["integers", "texts", "numbers", "integers", "booleans"];
    const channel = output.stream("numbers", schema);
    for (let time = 0; time < Math.floor(all / batch); time += 1) {
      if (way === "arrow") {
        channel.push(columns);
      } else if (way === "builder") {
        const built = new Rows(schema, 1 << 30);
        for (const row of rows) built.append(row);
        channel.push(built.take());
      } else if (way === "columns") {
        pushColumns(
          0,
          there.map((val, at) => ({ tag: kinds[at] ?? "", val })),
        );
      } else {
        throw new SourceError("config", `${way} is no way`, { field: "/way" });
      }
    }
  }
}

export const source = exported(Ways, {
  name: "rows",
  version: "0.1.0",
  title: "Rows",
  description: "Hands the same rows over again and again.",
  config: rowsConfig,
});
