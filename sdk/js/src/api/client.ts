/** Requests to one API: they wait when it says so, and try again what passes. */

import { type Kind, SourceError } from "../errors.ts";
import { parts, type Request, type Response, send, sleep, withoutQuery } from "../http.ts";
import * as log from "../log.ts";
import type { CheckStep } from "../source.ts";
import { type Json, parse, pointer } from "./json.ts";

/** Parameters of a request. */
export type Query = [string, string][];

/** What a status means; what is not here is `protocol`. */
const STATUS = new Map<number, Kind>([
  [401, "auth"],
  [403, "permission"],
  [404, "not-found"],
  [408, "transient"],
  [410, "not-found"],
  [425, "transient"],
  [429, "rate-limited"],
]);

const REMEDY = new Map<Kind, string>([
  ["auth", "check the credentials: the API does not know them"],
  ["permission", "the credentials are good but may not read this; grant them the right to"],
  ["not-found", "check the URL: host, path and version"],
  ["rate-limited", "the API asks to slow down; wait, or ask for a higher limit"],
  ["transient", "check that the API is up and can be reached from here"],
]);

/** Where APIs put their own words. */
const SAID = ["/error/message", "/error_description", "/message", "/error", "/detail", "/title", "/errors/0/message"];

/** What more there is to say of an API. */
export interface ApiOptions {
  /** The configuration field that holds the URL, as a JSON pointer: what is wrong with the URL is its. */
  field?: string;
  /** Headers of every request. Not for credentials: those are the host's, see `auth` in the manifest. */
  headers?: { [name: string]: string };
  /** Times that a request is sent, the first one included. */
  attempts?: number;
  /** Seconds: the longest wait before an attempt, and the first where the API does not say; doubled for each further one. */
  longestWait?: number;
  firstWait?: number;
  /** How large an answer may be. */
  mostBytes?: number;
}

/** JSON that came back, the `Link` header and the URL that was asked. */
export interface Answer {
  body: Json;
  link: string | undefined;
  url: string;
}

/** An HTTP JSON API below a URL. Its host must be among the manifest's `hosts`. */
export class Api {
  private readonly base: string;
  private readonly options: Required<ApiOptions>;

  constructor(base: string, options: ApiOptions = {}) {
    this.options = {
      field: "",
      headers: {},
      attempts: 6,
      longestWait: 60,
      firstWait: 1,
      mostBytes: 32 << 20,
      ...options,
    };
    this.base = base.trim().replace(/\/+$/, "");
    try {
      parts(this.base);
      if (/[?#]/.test(this.base)) {
        throw new SourceError("config", "the URL must not have a query; it is what the API's paths are added to");
      }
    } catch (error) {
      if (error instanceof SourceError && options.field !== undefined) error.field = options.field;
      throw error;
    }
  }

  /** The URL of a path below the API with a query. */
  url(path: string, query: Query): string {
    const slash = path === "" || path.startsWith("/") ? "" : "/";
    const pairs = query.map((pair) => pair.map(encode).join("=")).join("&");
    return `${this.base}${slash}${path}${pairs === "" ? "" : `?${pairs}`}`;
  }

  /** Resolves a link of an answer. One that leads to another host is refused: credentials are not for it. */
  follow(link: string, cameFrom: string): string {
    const url = URL.canParse(link, cameFrom) ? new URL(link, cameFrom) : undefined;
    const here = new URL(cameFrom).origin;
    if (url?.origin === here && url.username === "" && url.password === "") return url.href;
    const to = withoutQuery(url?.href ?? link);
    throw new SourceError("protocol", `a page of ${here} links to ${to}, which is not the same scheme, host and port`);
  }

  /** Asks for JSON below a path. */
  get(path: string, query: Query = []): Answer {
    return this.send({ method: "GET", url: this.url(path, query) });
  }

  /** Sends a request until it is answered, waiting as the API asks. */
  send(request: Request, attempts = this.options.attempts): Answer {
    const own = Object.entries({ accept: "application/json", ...this.options.headers });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.once({ ...request, headers: [...own, ...(request.headers ?? [])] });
      } catch (error) {
        const wait = error instanceof SourceError ? this.wait(error, attempt) : undefined;
        if (wait === undefined || attempt >= attempts) throw error;
        log.info(`attempt ${attempt} failed, trying again in ${wait} s: ${(error as SourceError).message}`);
        sleep(wait);
      }
    }
  }

  /** A step of a check: whether the API answers a request, and what to do if it does not. */
  check(path: string, query: Query): CheckStep {
    const url = this.url(path, query);
    try {
      this.send({ method: "GET", url }, 1);
      return { name: "request", outcome: "passed", detail: `GET ${withoutQuery(url)} is answered` };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const other = "check the URL: this does not look like the API that this connector reads";
      return { name: "request", outcome: "failed", detail: error.message, remedy: REMEDY.get(error.kind) ?? other };
    }
  }

  private wait(error: SourceError, attempt: number): number | undefined {
    if (error.kind !== "rate-limited" && error.kind !== "transient") return undefined;
    const { firstWait, longestWait } = this.options;
    if (error.retryAfter === undefined) return Math.min(firstWait * 2 ** (attempt - 1), longestWait);
    return error.retryAfter <= longestWait ? error.retryAfter : undefined;
  }

  private once(request: Request): Answer {
    const response = send(request);
    try {
      if (response.status < 200 || response.status > 299) throw refused(response);
      const text = response.text(this.options.mostBytes);
      return { body: read(response, text), link: response.headers.get("link"), url: request.url };
    } finally {
      response.close();
    }
  }
}

function read(response: Response, text: string): Json {
  try {
    return parse(text);
  } catch (error) {
    const kind = response.headers.get("content-type") ?? "no content type";
    const why = error instanceof Error ? error.message : String(error);
    throw new SourceError("protocol", `${response.doing}: the answer is not JSON (${kind}): ${why}`);
  }
}

/** The error that a status means. */
function refused(response: Response): SourceError {
  const { status, doing } = response;
  const message = `${doing}: the API answered ${status}${said(response)}`;
  if (status >= 300 && status < 400) {
    const to = withoutQuery(response.headers.get("location") ?? "");
    return new SourceError("config", `${message}: a redirect to ${to}, which is not followed; set the URL to where it leads`);
  }
  const kind = status >= 500 ? "transient" : (STATUS.get(status) ?? "protocol");
  return new SourceError(kind, message, { retryAfter: response.retryAfter() });
}

/** The API's own words, cut short. */
function said(response: Response): string {
  try {
    const body = parse(response.text(64 << 10));
    const found = SAID.map((place) => pointer(body, place)).find((text) => typeof text === "string");
    return found === undefined ? "" : ` (${String(found).slice(0, 300)})`;
  } catch {
    return "";
  }
}

/** Percent-encodes all but what never needs it (RFC 3986, section 2.3). */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
