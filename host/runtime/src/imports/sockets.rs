//! `wasi:sockets`, always refused.
//!
//! A component made by a Python or C toolchain imports these interfaces because its language's standard library does, whether it
//! uses them or not. They are linked so that it can be instantiated, and there is nothing behind them: whatever makes a socket or
//! resolves a name answers `access-denied`, and no other function can be reached, because it wants a socket that nobody has. No code
//! of the WASI library that opens sockets is linked. See `docs/adr/0010-sockets-that-are-always-refused.md`.

use wasmtime::component::types::{ComponentFunc, Type};
use wasmtime::component::{Linker, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{StoreContextMut, bail};

use super::log::Level;
use crate::instance::store::StoreData;

/// What a guest's log says when it tries.
const REFUSED: &str = "the connector tried to use a socket, and the sandbox has none: wasi:sockets is always refused; \
                       reach the hosts of the manifest by HTTP or by sluice:source/net";

/// The version that is linked; guests of any 0.2 find it.
const VERSION: &str = "0.2.12";

/// An interface with all that is in it.
struct Interface {
    name: &'static str,
    resources: &'static [&'static str],
    functions: &'static [&'static str],
}

/// Everything of `wasi:sockets` 0.2. What is not here does not link.
const INTERFACES: [Interface; 7] = [
    Interface { name: "network", resources: &["network"], functions: &[] },
    Interface { name: "instance-network", resources: &[], functions: &["instance-network"] },
    Interface {
        name: "ip-name-lookup",
        resources: &["resolve-address-stream"],
        functions: &[
            "resolve-addresses",
            "[method]resolve-address-stream.resolve-next-address",
            "[method]resolve-address-stream.subscribe",
        ],
    },
    Interface { name: "tcp-create-socket", resources: &[], functions: &["create-tcp-socket"] },
    Interface {
        name: "tcp",
        resources: &["tcp-socket"],
        functions: &[
            "[method]tcp-socket.start-bind",
            "[method]tcp-socket.finish-bind",
            "[method]tcp-socket.start-connect",
            "[method]tcp-socket.finish-connect",
            "[method]tcp-socket.start-listen",
            "[method]tcp-socket.finish-listen",
            "[method]tcp-socket.accept",
            "[method]tcp-socket.local-address",
            "[method]tcp-socket.remote-address",
            "[method]tcp-socket.is-listening",
            "[method]tcp-socket.address-family",
            "[method]tcp-socket.set-listen-backlog-size",
            "[method]tcp-socket.keep-alive-enabled",
            "[method]tcp-socket.set-keep-alive-enabled",
            "[method]tcp-socket.keep-alive-idle-time",
            "[method]tcp-socket.set-keep-alive-idle-time",
            "[method]tcp-socket.keep-alive-interval",
            "[method]tcp-socket.set-keep-alive-interval",
            "[method]tcp-socket.keep-alive-count",
            "[method]tcp-socket.set-keep-alive-count",
            "[method]tcp-socket.hop-limit",
            "[method]tcp-socket.set-hop-limit",
            "[method]tcp-socket.receive-buffer-size",
            "[method]tcp-socket.set-receive-buffer-size",
            "[method]tcp-socket.send-buffer-size",
            "[method]tcp-socket.set-send-buffer-size",
            "[method]tcp-socket.subscribe",
            "[method]tcp-socket.shutdown",
        ],
    },
    Interface { name: "udp-create-socket", resources: &[], functions: &["create-udp-socket"] },
    Interface {
        name: "udp",
        resources: &["udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream"],
        functions: &[
            "[method]udp-socket.start-bind",
            "[method]udp-socket.finish-bind",
            "[method]udp-socket.stream",
            "[method]udp-socket.local-address",
            "[method]udp-socket.remote-address",
            "[method]udp-socket.address-family",
            "[method]udp-socket.unicast-hop-limit",
            "[method]udp-socket.set-unicast-hop-limit",
            "[method]udp-socket.receive-buffer-size",
            "[method]udp-socket.set-receive-buffer-size",
            "[method]udp-socket.send-buffer-size",
            "[method]udp-socket.set-send-buffer-size",
            "[method]udp-socket.subscribe",
            "[method]incoming-datagram-stream.receive",
            "[method]incoming-datagram-stream.subscribe",
            "[method]outgoing-datagram-stream.check-send",
            "[method]outgoing-datagram-stream.send",
            "[method]outgoing-datagram-stream.subscribe",
        ],
    },
];

/// Whether a component may import this, as it is known here.
pub(crate) fn is_known(import: &str) -> bool {
    let Some((name, version)) = import.strip_prefix("wasi:sockets/").and_then(|rest| rest.split_once('@')) else {
        return false;
    };
    version.starts_with("0.2.") && INTERFACES.iter().any(|interface| interface.name == name)
}

/// Something of `wasi:sockets` that does not exist.
enum Nothing {}

/// Links every function to its refusal.
pub(crate) fn refuse(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    for interface in &INTERFACES {
        let mut instance = linker.instance(&format!("wasi:sockets/{}@{VERSION}", interface.name))?;
        for resource in interface.resources {
            instance.resource(resource, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
        }
        for function in interface.functions {
            instance.func_new(function, answer)?;
        }
    }
    Ok(())
}

/// `access-denied`, where a function can say so.
fn answer(
    mut store: StoreContextMut<'_, StoreData>,
    function: ComponentFunc,
    arguments: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    for argument in arguments {
        if let Val::Resource(handle) = argument {
            // Gives a borrowed handle back, which must not outlive the call.
            Resource::<Nothing>::try_from_resource_any(*handle, &mut store)?;
        }
    }
    let Some((result, ty)) = results.first_mut().zip(function.results().next()) else { bail!(REFUSED) };
    match ty {
        // Only a handle, which every other function wants to see: `instance-network` cannot fail.
        Type::Own(_) => {
            *result = Val::Resource(ResourceAny::try_from_resource(Resource::<Nothing>::new_own(0), &mut store)?);
        }
        Type::Result(_) => {
            store.data().log.write(Level::Error, REFUSED);
            *result = Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned())))));
        }
        _ => bail!(REFUSED),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_interfaces_that_are_refused_here_may_be_imported() {
        assert!(is_known("wasi:sockets/tcp@0.2.0") && is_known("wasi:sockets/ip-name-lookup@0.2.12"));
        for unknown in
            ["wasi:sockets/types@0.3.0", "wasi:sockets/tcp@0.3.0", "wasi:sockets/raw@0.2.0", "wasi:sockets/tcp"]
        {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
