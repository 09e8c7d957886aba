/**
 * A connector of what the template's does without: TCP that becomes TLS, and what a stream remembers of each of many things.
 *
 * Its streams are the extensions that a mail server announces, before and after STARTTLS, and the lines of the objects of a bucket, of
 * which each version is read once.
 */

import { BOOL, config, exported, http, integer, items, net, Schema, SourceError, TEXT, text, type Values } from "sluice-sdk";
import type { CheckStep, DiscoverPage, Output, Plan, Selection, Source, Split } from "sluice-sdk";
import { Api } from "sluice-sdk/api";

const probeConfig = config("What to read.", {
  host: text("The mail server.", { default: "mail.example" }),
  port: integer("Its port.", { default: 25 }),
  authorities: text("Authorities that its certificate may come from, PEM.", { optional: true }),
  url: text("Where the bucket's API is.", { default: "http://storage.example" }),
  bucket: text("The bucket.", { default: "" }),
});

type ProbeConfig = Values<typeof probeConfig>;

const extensionsSchema = new Schema([
  { name: "name", type: TEXT, nullable: false },
  { name: "encrypted", type: BOOL, nullable: false },
]);
const objectsSchema = new Schema([{ name: "line", type: TEXT, nullable: false }]);
const ofFilesSchema = new Schema([...objectsSchema.columns, { name: items.FILE_COLUMN, type: TEXT, nullable: false }]);

/** The stream's schema; `named` is whether rows say which file they are of. */
const schema = (stream: string, named: boolean): Schema => {
  if (stream === "extensions") return extensionsSchema;
  return named ? ofFilesSchema : objectsSchema;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A version, as items keep it: behind the version of that form. */
const remembered = (generation: string): Uint8Array => encoder.encode(`\u0001${generation}`);

/** As much of SMTP as its greeting. */
class Mail {
  constructor(private readonly link: net.Connection) {
    this.answer("220");
  }

  private answer(code: string): string[] {
    const lines: string[] = [];
    for (;;) {
      const line = decoder.decode(this.link.readUntil(10, 512));
      if (!line.startsWith(code)) {
        throw new SourceError("protocol", `the server answered ${line.slice(0, 80)}, where ${code} was due`);
      }
      lines.push(line.slice(4, -2));
      if (line[3] === " ") return lines;
    }
  }

  extensions(): string[] {
    this.link.write(encoder.encode("EHLO probe.example\r\n"));
    return this.answer("250").slice(1);
  }

  startTls(authorities: string | undefined): void {
    this.link.write(encoder.encode("STARTTLS\r\n"));
    this.answer("220");
    this.link.startTls({ authorities });
  }
}

/** The server and the bucket as a source. */
class Probe implements Source {
  private readonly folder: string;

  constructor(private readonly config: ProbeConfig) {
    this.folder = `/storage/v1/b/${config.bucket}/o`;
  }

  check(): CheckStep[] {
    try {
      return this.connected((mail, link) => {
        const plain: CheckStep = { name: "connect", outcome: "passed", detail: `${mail.extensions().length} extensions` };
        const before = link.tlsServerEndPoint() ?? "None";
        mail.startTls(this.config.authorities);
        const proof = link.tlsServerEndPoint()?.length ?? 0;
        const detail = `${mail.extensions().length} extensions, ${before} and ${proof} bytes to bind to`;
        return [plain, { name: "tls", outcome: "passed", detail }];
      });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const detail = `${error.kind}: ${error.message}`;
      return [{ name: "server", outcome: "failed", detail, remedy: "name another server" }];
    }
  }

  discover(): DiscoverPage {
    const extensions = { id: "extensions", schema: extensionsSchema, kind: "other" as const, primaryKey: ["name", "encrypted"] };
    return { streams: [extensions, { id: "objects", schema: objectsSchema, kind: "files" }] };
  }

  plan(selections: Selection[]): Plan {
    const plan: Plan = { streams: [], splits: [] };
    for (const selection of selections) {
      const named = selection.changedFiles === "replace";
      const wanted = selection.id === "objects" ? this.changed(selection) : [];
      plan.streams.push({ id: selection.id, schema: schema(selection.id, named), stateAfter: remembered("") });
      plan.splits.push({ id: selection.id, streams: [selection.id], descriptor: encoder.encode(JSON.stringify({ wanted, named })) });
    }
    return plan;
  }

  /** The objects of which no plan that was carried out has read this version. */
  private changed(selection: Selection): string[] {
    const body = new Api(this.config.url).get(this.folder).body as { items?: { name: string; generation: string }[] };
    const listed = body.items ?? [];
    const known = items.recall(
      selection.id,
      listed.map((one) => one.name),
    );
    const changed = listed.filter((one, at) => String(known[at]) !== String(remembered(one.generation)));
    items.remember(
      selection.id,
      changed.map((one) => [one.name, remembered(one.generation)]),
    );
    const names = changed.map((one) => one.name);
    if (selection.changedFiles === "replace") items.replace(selection.id, names);
    return names;
  }

  read(split: Split, _start: Uint8Array | undefined, output: Output): void {
    const { wanted, named } = JSON.parse(decoder.decode(split.descriptor)) as { wanted: string[]; named: boolean };
    const channel = output.stream(split.id, schema(split.id, named));
    if (split.id === "extensions") channel.pushRows(this.extensions());
    for (const name of wanted) {
      const url = `${this.config.url}${this.folder}/${encodeURIComponent(name)}?alt=media`;
      const response = http.send({ method: "GET", url });
      const lines = response.text(1 << 20).split("\n").slice(0, -1);
      response.close();
      channel.push(named ? [lines, lines.map(() => name)] : [lines]);
    }
  }

  private extensions(): (string | boolean)[][] {
    return this.connected((mail) => {
      const plain = mail.extensions();
      mail.startTls(this.config.authorities);
      return [...plain.map((name) => [name, false]), ...mail.extensions().map((name) => [name, true])];
    });
  }

  private connected<T>(use: (mail: Mail, link: net.Connection) => T): T {
    const link = net.connect(this.config.host, this.config.port);
    try {
      return use(new Mail(link), link);
    } finally {
      link.close();
    }
  }
}

export const source = exported(Probe, {
  name: "probe",
  version: "0.1.0",
  title: "Probe",
  description: "A mail server's extensions, and the lines of a bucket's objects.",
  config: probeConfig,
  hosts: ["{host}:{port}", "{url}"],
  capabilities: ["incremental", "changed_files"],
});
