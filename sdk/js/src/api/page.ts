/** Following an API's pages to their end. */

import { SourceError } from "../errors.ts";
import { withoutQuery } from "../http.ts";
import type { Answer, Api, Query } from "./client.ts";
import { type Json, kind, pointer } from "./json.ts";

/** How an API leads from one page to the next. Pointers are JSON pointers into an answer. */
export type Paging =
  | { way: "none" }
  | { way: "next-link"; at: string }
  | { way: "link-header" }
  | { way: "cursor"; at: string; param: string }
  | { way: "number"; param: string; size: number; first: number }
  | { way: "offset"; param: string; size: number };

export const Paging = {
  /** The answer holds the next page's URL; missing, null or empty at the end. */
  nextLink: (at: string): Paging => ({ way: "next-link", at }),
  /** The header `Link: <…>; rel="next"`. */
  linkHeader: (): Paging => ({ way: "link-header" }),
  /** The answer holds a cursor that the next request has to send back; missing, null or empty at the end. */
  cursor: (at: string, param: string): Paging => ({ way: "cursor", at, param }),
  /** Pages have numbers. Ends with a page that has fewer records than `size`, or none. */
  number: (param: string, size: number, first = 1): Paging => ({ way: "number", param, size, first }),
  /** Pages begin at the number of records before them. Ends with a page that has fewer records than `size`, or none. */
  offset: (param: string, size: number): Paging => ({ way: "offset", param, size }),
};

/** A page: its records, and how messages name one of them. */
export interface Page {
  records: Json[];
  place(record: number): string;
}

/** What is asked for, and how it goes on. */
export interface Request {
  path: string;
  query: Query;
  /** A JSON pointer to the list of records in an answer; empty where the answer is the list. */
  records: string;
  paging: Paging;
}

/** The pages of a request, fetched one after the other. */
export function* pages(api: Api, request: Request): Generator<Page> {
  const { path, query, records, paging } = request;
  const asked = new Set<string>();
  const first: Query = paging.way === "number" ? [[paging.param, String(paging.first)]] : [];
  let [fetched, seen] = [0, 0];
  for (let url: string | undefined = api.url(path, [...query, ...first]); url !== undefined; ) {
    const source = `GET ${withoutQuery(url)}`;
    if (asked.has(url)) {
      throw new SourceError("protocol", `page ${fetched} of ${source} leads to a page that was read before`);
    }
    asked.add(url);
    const answer: Answer = api.send({ method: "GET", url });
    const found = pointer(answer.body, records);
    fetched += 1;
    if (!Array.isArray(found)) {
      const place = records === "" ? "the answer" : records;
      const message = `${source}: ${place} is not a list of records (page ${fetched}); it is ${kind(found)}`;
      throw new SourceError("protocol", message);
    }
    seen += found.length;
    url = after(api, request, answer, found.length, fetched, seen);
    const number = fetched;
    yield { records: found, place: (record) => `record ${record + 1} of page ${number} of ${source}` };
  }
}

function after(
  api: Api,
  { path, query, paging }: Request,
  answer: Answer,
  records: number,
  fetched: number,
  seen: number,
): string | undefined {
  const asking = (param: string, value: string | number) =>
    api.url(path, [...query.filter(([name]) => name !== param), [param, String(value)]]);
  const told = (at: string) => {
    const value = pointer(answer.body, at);
    return typeof value === "string" || typeof value === "number" || typeof value === "bigint" ? String(value) : "";
  };
  switch (paging.way) {
    case "none":
      return undefined;
    case "next-link":
      return told(paging.at) === "" ? undefined : api.follow(told(paging.at), answer.url);
    case "link-header": {
      const link = nextOf(answer.link ?? "");
      return link === undefined ? undefined : api.follow(link, answer.url);
    }
    case "cursor":
      return told(paging.at) === "" ? undefined : asking(paging.param, told(paging.at));
    case "number":
      return records < Math.max(paging.size, 1) ? undefined : asking(paging.param, paging.first + fetched);
    case "offset":
      return records < Math.max(paging.size, 1) ? undefined : asking(paging.param, seen);
  }
}

/** The target of `rel="next"` (RFC 8288). */
function nextOf(header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(/<([^>]*)>([^<]*)/g)) {
    const relations = /(?:^|[;\s])rel="?([^";,]*)/i.exec(parameters ?? "")?.[1] ?? "";
    if (relations.toLowerCase().split(/\s+/).includes("next")) return target;
  }
  return undefined;
}
