// Runs the SDK's unit tests under Node: node run.mjs, from a folder that esbuild is installed in. The host's interfaces are what a test
// puts into `globalThis.host`.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const { build } = createRequire(join(process.cwd(), "packages"))("esbuild");
const HOST = /^sluice:source\/(\w+)@/;

/** The functions of the interfaces that are tested. */
const FUNCTIONS = { items: ["recall", "remember", "replace"], net: ["connect"] };

/** An interface of the host: functions that call what the test has put there. */
const double = {
  name: "double",
  setup(build) {
    build.onResolve({ filter: HOST }, ({ path }) => ({ path, namespace: "host" }));
    build.onLoad({ filter: HOST, namespace: "host" }, ({ path }) => {
      const name = HOST.exec(path)[1];
      const lines = FUNCTIONS[name].map((its) => `export const ${its} = (...told) => globalThis.host.${name}.${its}(...told);`);
      return { contents: lines.join("\n"), loader: "js" };
    });
  },
};

const folder = mkdtempSync(join(tmpdir(), "sluice-js-tests-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const name of Object.keys(FUNCTIONS)) {
  const outfile = join(folder, `${name}.mjs`);
  const entry = fileURLToPath(new URL(`${name}.test.ts`, import.meta.url));
  await build({ entryPoints: [entry], outfile, plugins: [double], bundle: true, format: "esm", platform: "node", target: "es2022" });
  await import(pathToFileURL(outfile));
}
