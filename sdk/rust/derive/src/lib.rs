//! Derives for connectors: `Config` makes a JSON Schema of a configuration type, `Manifest` the connector's manifest. Both
//! are constants, so that the manifest can be read from the component without running it.

use proc_macro::TokenStream;

/// Placeholder until the derive is written.
#[proc_macro_derive(Config, attributes(config))]
pub fn config(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Placeholder until the derive is written.
#[proc_macro_derive(Manifest, attributes(manifest))]
pub fn manifest(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
