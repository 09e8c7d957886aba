//! The imports of version 0.1: each hands over to `crate::imports`, which every version shares.

use wasmtime::component::{Linker, Resource, WasmList};

use super::bindings::sluice::source::{items, log, net, output, types};
use super::convert;
use crate::imports::log::Level;
use crate::imports::net::OpenConnection;
use crate::instance::store::StoreData;
use crate::net::tls::{TlsOptions, Verification};
use crate::net::{NetError, NetErrorKind};
use crate::validate::rows::{Column, Value};

/// The interface whose `push` and `push-parts` are linked by hand.
const OUTPUT: &str = "sluice:source/output@0.1.0";

/// Links `push` and `push-parts` once more, in place of the generated ones: those would make new vectors of every batch, where
/// these copy the guest's memory into a buffer that is used again.
pub(super) fn push_from_memory(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut output = linker.instance(OUTPUT)?;
    output.func_wrap_async("push", |mut store, (channel, batch): (u32, WasmList<u8>)| {
        Box::new(async move {
            let batch = store.data().output.receive(batch.as_le_slice(&store))?;
            store.data_mut().output.push_message(channel, batch).await?;
            Ok((Ok::<(), types::Error>(()),))
        })
    })?;
    output.func_wrap_async("push-parts", |mut store, (channel, metadata, body): (u32, WasmList<u8>, Lists)| {
        Box::new(async move {
            store.data().output.admit_pieces(body.len())?;
            // Comparing each list with the bounds of the memory needs the store for itself, reading them only shares it.
            let body = body.iter(&mut store)?.collect::<wasmtime::Result<Vec<_>>>()?;
            let pieces = body.iter().map(|piece| piece.as_le_slice(&store)).collect();
            let batch = store.data().output.receive_parts(metadata.as_le_slice(&store), pieces)?;
            store.data_mut().output.push_message(channel, batch).await?;
            Ok((Ok::<(), types::Error>(()),))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Pieces of a guest's memory.
type Lists = WasmList<WasmList<u8>>;

impl types::Host for StoreData {}

impl output::Host for StoreData {
    async fn declare(&mut self, stream: String, schema: Vec<u8>) -> wasmtime::Result<Result<u32, types::Error>> {
        Ok(Ok(self.output.declare(&stream, &schema).await?))
    }

    async fn push(&mut self, channel: u32, batch: Vec<u8>) -> wasmtime::Result<Result<(), types::Error>> {
        let batch = self.output.receive(&batch)?;
        self.output.push_message(channel, batch).await?;
        Ok(Ok(()))
    }

    async fn push_parts(
        &mut self,
        channel: u32,
        metadata: Vec<u8>,
        body: Vec<Vec<u8>>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let batch = self.output.receive_parts(&metadata, body.iter().map(Vec::as_slice).collect())?;
        self.output.push_message(channel, batch).await?;
        Ok(Ok(()))
    }

    async fn push_rows(
        &mut self,
        channel: u32,
        rows: Vec<Vec<output::Value>>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let rows: Vec<Vec<Value>> = rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect();
        self.output.push_rows(channel, &rows).await?;
        Ok(Ok(()))
    }

    async fn push_columns(
        &mut self,
        channel: u32,
        columns: Vec<output::Column>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let columns: Vec<Column> = columns.into_iter().map(column).collect();
        self.output.push_columns(channel, &columns).await?;
        Ok(Ok(()))
    }

    async fn checkpoint(
        &mut self,
        channel: u32,
        cursor: Vec<u8>,
        rows: u64,
    ) -> wasmtime::Result<Result<output::Directive, types::Error>> {
        let go_on = self.output.checkpoint(channel, convert::cursor(cursor)?, rows).await?;
        Ok(Ok(if go_on { output::Directive::Continue } else { output::Directive::Stop }))
    }
}

impl items::Host for StoreData {
    async fn recall(
        &mut self,
        stream: String,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<Vec<u8>>>, types::Error>> {
        let found = self.items.recall(&stream, &keys).await?;
        Ok(Ok(match &self.tape {
            Some(tape) => tape.recalled(&stream, &keys, found),
            None => found,
        }))
    }

    async fn remember(
        &mut self,
        stream: String,
        entries: Vec<(String, Vec<u8>)>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        self.items.remember(&stream, &entries)?;
        if let Some(tape) = &self.tape {
            tape.remembered(&stream, &entries);
        }
        Ok(Ok(()))
    }

    async fn replace(&mut self, stream: String, files: Vec<String>) -> wasmtime::Result<Result<(), types::Error>> {
        self.items.replace(&stream, &files)?;
        if let Some(tape) = &self.tape {
            tape.replaced(&stream, &files);
        }
        Ok(Ok(()))
    }
}

fn value(value: output::Value) -> Value {
    match value {
        output::Value::Null => Value::Null,
        output::Value::Boolean(v) => Value::Boolean(v),
        output::Value::Integer(v) => Value::Integer(v),
        output::Value::Number(v) => Value::Number(v),
        output::Value::Text(v) => Value::Text(v),
        output::Value::Bytes(v) => Value::Bytes(v),
        output::Value::Date(v) => Value::Date(v),
        output::Value::Timestamp(v) => Value::Timestamp(v),
    }
}

fn column(column: output::Column) -> Column {
    match column {
        output::Column::Booleans(v) => Column::Booleans(v),
        output::Column::Integers(v) => Column::Integers(v),
        output::Column::Numbers(v) => Column::Numbers(v),
        output::Column::Texts(v) => Column::Texts(v),
        output::Column::Binaries(v) => Column::Binaries(v),
    }
}

impl log::Host for StoreData {
    async fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl net::Host for StoreData {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        tls: Option<net::TlsOptions>,
    ) -> wasmtime::Result<Result<Resource<OpenConnection>, types::Error>> {
        let tls = tls.map(tls_options);
        match OpenConnection::connect(&self.network, self.tape.as_ref(), &host, port, tls.as_ref()).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(net_error(error))),
        }
    }
}

impl net::HostConnection for StoreData {
    async fn read(
        &mut self,
        connection: Resource<OpenConnection>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        let connection = self.table.get_mut(&connection)?;
        Ok(connection.read(max as usize).await.map_err(net_error))
    }

    async fn write(
        &mut self,
        connection: Resource<OpenConnection>,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let connection = self.table.get_mut(&connection)?;
        Ok(connection.write(&bytes).await.map_err(net_error))
    }

    async fn start_tls(
        &mut self,
        connection: Resource<OpenConnection>,
        options: net::TlsOptions,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let options = tls_options(options);
        let connection = self.table.get_mut(&connection)?;
        Ok(connection.start_tls(&options).await.map_err(net_error))
    }

    async fn tls_server_end_point(
        &mut self,
        connection: Resource<OpenConnection>,
    ) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.table.get(&connection)?.tls_server_end_point())
    }

    async fn drop(&mut self, connection: Resource<OpenConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn tls_options(options: net::TlsOptions) -> TlsOptions {
    TlsOptions {
        verification: match options.verification {
            net::Verification::None => Verification::None,
            net::Verification::Authority => Verification::Authority,
            net::Verification::Full => Verification::Full,
        },
        server_name: options.server_name,
        authorities: options.authorities,
        client_certificate: options.client_certificate,
        client_key: options.client_key,
        alpn: options.alpn,
    }
}

fn net_error(error: NetError) -> types::Error {
    let kind = match error.kind {
        NetErrorKind::Permission | NetErrorKind::Limit => types::ErrorKind::Permission,
        NetErrorKind::Auth => types::ErrorKind::Auth,
        NetErrorKind::NotFound => types::ErrorKind::NotFound,
        NetErrorKind::Transient => types::ErrorKind::Transient,
        NetErrorKind::Config => types::ErrorKind::Config,
        NetErrorKind::Protocol => types::ErrorKind::Protocol,
    };
    types::Error { kind, message: error.message, retry_after_ms: None, field: None, stream_id: None }
}
