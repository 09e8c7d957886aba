//! Connections that a guest holds by a handle; the work is done in [`crate::net`], or by a recording.

use sluice_core::recording::{Event, Tls};

use crate::net::tls::{TlsOptions, Verification};
use crate::net::{Connection, NetError, NetErrorKind, Network};
use crate::tape::Tape;

/// A connection in the guest's table; dropping it closes it.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenConnection {
    transport: Transport,
    /// Where what passes is taken down, and the connection's number there.
    tape: Option<(Tape, u32)>,
}

enum Transport {
    Open(Connection),
    Played,
}

impl OpenConnection {
    pub(crate) async fn connect(
        network: &Network,
        tape: Option<&Tape>,
        host: &str,
        port: u16,
        tls: Option<&TlsOptions>,
    ) -> Result<Self, NetError> {
        let Some(tape) = tape else {
            return Ok(Self { transport: Transport::Open(network.connect(host, port, tls).await?), tape: None });
        };
        let connection = tape.connection();
        let opened = match tape.played(|player| player.connect(connection, host, port)) {
            Some(played) => played.map(|()| Transport::Played).map_err(NetError::from),
            None => network.connect(host, port, tls).await.map(Transport::Open),
        };
        let failed = opened.as_ref().err().map(|error| error.told(None));
        let tls = tls.map(spoken);
        tape.push(Event::Connect { connection, host: host.to_owned(), port, tls, failed }, host.len());
        Ok(Self { transport: opened?, tape: Some((tape.clone(), connection)) })
    }

    pub(crate) async fn read(&mut self, max: usize) -> Result<Vec<u8>, NetError> {
        let read = match &mut self.transport {
            Transport::Open(connection) => connection.read(max).await,
            Transport::Played => self.played(|player, connection| player.received(connection, max)),
        };
        if let Some((tape, connection)) = &self.tape {
            let bytes = read.as_ref().cloned().unwrap_or_default();
            let failed = read.as_ref().err().map(|error| error.told(None));
            let size = bytes.len();
            tape.push(Event::Received { connection: *connection, bytes: bytes.into(), failed }, size);
        }
        read
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let written = match &mut self.transport {
            Transport::Open(connection) => connection.write(bytes).await,
            Transport::Played => self.played(|player, connection| {
                player.sent(connection, bytes);
                Ok(())
            }),
        };
        if let Some((tape, connection)) = &self.tape {
            let failed = written.as_ref().err().map(|error| error.told(None));
            tape.push(Event::Sent { connection: *connection, bytes: bytes.to_vec().into(), failed }, bytes.len());
        }
        written
    }

    pub(crate) async fn start_tls(&mut self, options: &TlsOptions) -> Result<(), NetError> {
        let started = match &mut self.transport {
            Transport::Open(connection) => connection.start_tls(options).await,
            Transport::Played => self.played(|player, connection| player.start_tls(connection)),
        };
        if let Some((tape, connection)) = &self.tape {
            let failed = started.as_ref().err().map(|error| error.told(None));
            tape.push(Event::StartTls { connection: *connection, tls: spoken(options), failed }, 0);
        }
        started
    }

    pub(crate) fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        let binding = match &self.transport {
            Transport::Open(connection) => connection.tls_server_end_point(),
            Transport::Played => {
                self.played(|player, connection| Ok(player.server_end_point(connection))).ok().flatten()
            }
        };
        if let Some((tape, connection)) = &self.tape {
            let bytes = binding.clone().map(Into::into);
            tape.push(Event::ServerEndPoint { connection: *connection, bytes }, 0);
        }
        binding
    }

    fn played<T>(
        &self,
        ask: impl FnOnce(&mut sluice_core::recording::Player, u32) -> Result<T, sluice_core::recording::Told>,
    ) -> Result<T, NetError> {
        let answer = self.tape.as_ref().and_then(|(tape, connection)| tape.played(|player| ask(player, *connection)));
        let nobody = || NetError::new(NetErrorKind::Transient, "nobody plays this connection back");
        answer.ok_or_else(nobody)?.map_err(NetError::from)
    }
}

/// As a recording has it: of certificates and keys only that they are there.
fn spoken(options: &TlsOptions) -> Tls {
    Tls {
        verification: match options.verification {
            Verification::None => "none",
            Verification::Authority => "authority",
            Verification::Full => "full",
        }
        .to_owned(),
        server_name: options.server_name.clone(),
        authorities: options.authorities.is_some(),
        client_certificate: options.client_certificate.is_some(),
        alpn: options.alpn.clone(),
    }
}
