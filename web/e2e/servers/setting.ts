/** How a test server is reached, as `cargo xtask services` says it. */
export function setting(name: string): string {
  const value = process.env[`SLUICE_TEST_${name}`];
  if (!value)
    throw new Error(`SLUICE_TEST_${name} is not set: run \`cargo xtask test\`, or \`cargo xtask services up\``);
  return value;
}
