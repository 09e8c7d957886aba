// Makes a component of a project in JavaScript or TypeScript: node build.mjs ENTRY SDK WIT WORLD COMPONENT. Run by
// `sluice connector build` from the folder that esbuild and componentize-js are installed in. Prints the manifest.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

const [entry, sdk, witPath, worldName, component] = process.argv.slice(2);
const HOST = /^(sluice|wasi):/;

/** The project and the SDK in one module. */
function bundle(outfile, plugins, external) {
  return build({
    entryPoints: [entry],
    outfile,
    plugins,
    external,
    alias: { "sluice-sdk/api": join(sdk, "src/api/index.ts"), "sluice-sdk": join(sdk, "src/index.ts") },
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2024",
    logLevel: "warning",
  });
}

/** Outside the sandbox there is no host: what is imported of it is there, and does nothing. */
const withoutHost = {
  name: "without-host",
  setup(build) {
    build.onResolve({ filter: HOST }, ({ path }) => ({ path, namespace: "host" }));
    build.onLoad({ filter: HOST, namespace: "host" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};

const folder = await mkdtemp(join(tmpdir(), "sluice-build-"));
try {
  const declared = join(folder, "manifest.mjs");
  await bundle(declared, [withoutHost], []);
  const { source } = await import(pathToFileURL(declared));
  if (typeof source?.manifest !== "function") {
    throw new Error(`${entry} must end with \`export const source = exported(…)\``);
  }
  const manifest = source.manifest();

  const module = join(folder, "connector.mjs");
  await bundle(module, [], ["sluice:*", "wasi:*"]);
  const made = await componentize({ sourcePath: module, witPath, worldName, disableFeatures: ["fetch-event"] });
  await writeFile(component, made.component);
  process.stdout.write(manifest);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
