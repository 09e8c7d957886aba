//! The attacks that the sandbox has to withstand: one list, which guests and tests are made from.
//!
//! Each line names an attack, says what it does and which promise it tries to break, and how it has to end: the kind of the error
//! and words of it, or `Contained` and what can be seen afterwards. [`guest_attacks`] are made by `examples/hostile.rs`, whose
//! `match` is exhaustive; [`made_attacks`] are files, servers and configurations that the tests make. `tests/tests/hostile` turns
//! every line into a test that calls a function of the attack's name: an attack without a guest, or without a test, does not
//! compile. `docs/sandbox.md` shows the list, which a test compares.
//!
//! To add an attack: a line here, its code in `examples/hostile.rs` if a guest makes it, its function in `tests/tests/hostile`.

/// Hands the attacks that `examples/hostile.rs` makes to a macro.
#[macro_export]
macro_rules! guest_attacks {
    ($with:ident) => {
        $with! {
            // Computing, memory, time.
            spin: "computes without end" / "CPU time is bounded" => Sandbox "limits.instance.cpu_ms = 300";
            spin_in_planning: "computes without end while it plans" / "every call is bounded, not only reads" => Sandbox "limits.instance.cpu_ms = 300";
            sleep: "sleeps without end" / "a call's duration is bounded" => Sandbox "limits.instance.wall_ms = 400";
            never_leave: "does not return when it is told goodbye" / "nobody waits for a goodbye" => Contained "closed all the same";
            memory: "allocates without end" / "memory is bounded" => Sandbox "limits.instance.memory_bytes is 33554432";
            stack: "recurses without end" / "the stack is bounded" => Sandbox "stack overflowed";
            trap: "panics with a secret in its last words" / "a crash ends one instance and tells no secret" => Sandbox "boom, my password is [secret]";
            // Output.
            flood: "pushes rows without end" / "rows are bounded" => Sandbox "limits.instance.output_rows = 1000000";
            flood_of_bytes: "pushes bytes without end" / "bytes are bounded" => Sandbox "limits.instance.output_bytes = 16777216";
            garbage: "pushes bytes that are no message" / "a batch is validated before it is used" => Sandbox "continuation marker";
            huge_length: "claims metadata of 2 GiB" / "no length is believed" => Sandbox "2147483647 bytes; at most";
            huge_batch: "pushes a batch of 70 MiB" / "a batch is bounded" => Sandbox "limits.instance.batch_bytes is 67108864";
            huge_call: "hands 120 MiB to one call" / "a host call is bounded" => Sandbox "limits.instance.hostcall_bytes = 100663296";
            compressed_batch: "pushes a compressed batch" / "nothing is decompressed: a small message stays small" => Sandbox "the batch is compressed";
            rows_of_nothing: "claims 2^40 rows in an empty body" / "a small message does not become a large batch" => Sandbox "claims 1099511627776 rows; at most 16777216";
            negative_rows: "claims -1 rows" / "counts are checked before they are computed with" => Sandbox "claims -1 rows";
            column_of_nothing: "claims 2^40 values in a column" / "a small message does not become a large batch" => Sandbox "a column claims 1099511627776 values";
            more_nulls_than_values: "claims more nulls than values" / "counts are compared with each other" => Sandbox "a column claims 10 values and 11 nulls";
            missing_columns: "leaves out the columns of its schema" / "a batch has the shape of its schema" => Sandbox "the batch has 0 nodes and 0 buffers";
            buffer_beyond_body: "claims a buffer beyond the body" / "offsets stay within the message" => Sandbox "pushed an invalid batch";
            wild_offsets: "pushes texts whose offsets point elsewhere" / "offsets are validated" => Sandbox "pushed an invalid batch";
            text_that_is_none: "pushes texts that are no UTF-8" / "texts are validated" => Sandbox "pushed an invalid batch";
            dictionary_batch: "pushes a dictionary" / "the contract has no dictionaries" => Sandbox "but this is DictionaryBatch";
            schema_for_batch: "pushes a schema in place of a batch" / "a message is what is expected" => Sandbox "but this is Schema";
            short_row: "pushes a row with a value too few" / "rows fit their schema" => Sandbox "row 0 has 1 values";
            wrong_kind: "pushes a text as a number" / "values fit their columns" => Sandbox "of another kind than its type Int64";
            odd_pieces: "pushes a body in a thousand odd pieces that fit" / "what fits is taken, however it is cut" => Contained "20 rows";
            missing_piece: "pushes a body in pieces and leaves one out" / "pieces add up to what the metadata says" => Sandbox "claims a body of 320 bytes, but 256 follow";
            shifted_pieces: "cuts a body elsewhere than its metadata says" / "pieces lie where the metadata says" => Sandbox "claims a body of 320 bytes, but 384 follow";
            long_metadata: "appends bytes to the metadata" / "the metadata has the length that it states" => Sandbox "claims a body of 320 bytes, but 640 follow";
            no_metadata: "pushes a body without metadata" / "a batch is validated before it is used" => Sandbox "continuation marker";
            many_pieces: "pushes 100,000 empty pieces" / "the number of pieces is bounded" => Sandbox "came in 100000 pieces; at most 30000 are taken";
            overlapping_pieces: "pushes the same memory 70 times" / "a batch is bounded by what it becomes" => Sandbox "limits.instance.batch_bytes is 67108864";
            piece_bomb: "pushes the same memory 30,000 times" / "a host call is bounded" => Sandbox "limits.instance.hostcall_bytes = 100663296";
            piece_beyond_memory: "names memory that it does not have" / "the host reads a guest's own memory only" => Sandbox "out of bounds of memory";
            endless_piece: "names more memory than there is" / "the host reads a guest's own memory only" => Sandbox "out of bounds of memory";
            // Schemas.
            another_schema: "declares another schema than it planned" / "a read yields what was planned" => Sandbox "1 columns instead of 2";
            switched_schema: "pushes a batch of another schema than its channel's" / "a batch has the shape of its schema" => Sandbox "its schema needs";
            dictionary_column: "declares a dictionary" / "types outside the contract are refused" => Sandbox "has the type Dictionary";
            nested_columns: "nests lists 200 deep" / "schemas are bounded" => Sandbox "declared an invalid schema";
            column_bomb: "declares 20,000 columns" / "schemas are bounded" => Sandbox "at most 10,000 columns";
            twin_columns: "declares two columns of one name" / "a column has one meaning" => Sandbox "two columns named";
            long_column_name: "declares a name of 5,000 bytes" / "names are bounded" => Sandbox "name or metadata of more than 4 KiB";
            channel_flood: "declares schemas without end" / "declarations are bounded" => Sandbox "10,000 schemas were declared";
            // The contract: streams, checkpoints, plans, items.
            another_stream: "reads a stream that it was not asked for" / "a read yields what was asked for" => Sandbox "plan does not have this stream";
            undeclared_channel: "pushes into a channel that is not" / "a channel is declared first" => Sandbox "channel 7 was never declared";
            push_in_planning: "pushes rows while it plans" / "rows belong to a read" => Sandbox "while a read runs";
            lying_checkpoint: "claims a row more than it pushed" / "a checkpoint cannot be forged" => Sandbox "speaks of 11 rows, but 10 were pushed";
            forged_checkpoint: "makes a checkpoint for a channel that is not" / "a checkpoint cannot be forged" => Sandbox "channel 9 was never declared";
            cursor_bomb: "makes a cursor of a megabyte" / "what is kept of a read is bounded" => Sandbox "a cursor has 1048576 bytes";
            state_bomb: "plans a state of a megabyte" / "what is kept of a plan is bounded" => Sandbox "a cursor has 1048576 bytes";
            split_flood: "plans 100,001 splits" / "plans are bounded" => Sandbox "100001 splits were planned; at most 100000";
            twin_splits: "plans two splits of one name" / "a split has one meaning" => Sandbox "two splits have the id twin\\u{1b}[2J";
            nameless_split: "plans a split without a name" / "plans are validated" => Sandbox "must have an id of 1 to 200 characters";
            descriptor_bomb: "plans a descriptor of 2 MiB" / "plans are bounded" => Sandbox "a descriptor of at most 1 MiB";
            items_while_reading: "remembers items while it reads" / "items belong to a plan" => Sandbox "while `plan` runs";
            items_recall_while_reading: "recalls items while it reads" / "items belong to a plan" => Sandbox "while `plan` runs";
            items_replace: "replaces files that are not to be replaced" / "what a person chose holds" => Sandbox "are not to be replaced";
            items_stranger: "remembers items of another stream" / "a stream's state is its own" => Sandbox "not asked to plan another, whose items it wants";
            items_recall_stranger: "recalls items of another stream" / "a stream's state is its own" => Sandbox "not asked to plan another";
            items_long_key: "remembers a key of 5,000 bytes" / "items are bounded" => Sandbox "5000 bytes in one key; at most 4096";
            items_recall_long_key: "recalls a key of 5,000 bytes" / "items are bounded" => Sandbox "5000 bytes in one key; at most 4096";
            items_long_value: "remembers a value of 300 bytes" / "items are bounded" => Sandbox "300 bytes in one value; at most 255";
            items_many_at_once: "remembers 10,001 items in a call" / "items are bounded" => Sandbox "10001 entries remembered in one call; at most 10000";
            items_recall_many_at_once: "recalls 10,001 items in a call" / "items are bounded" => Sandbox "10001 keys recalled in one call";
            items_many: "remembers three million items" / "items are bounded" => Sandbox "2010000 entries remembered by one plan; at most 2000000";
            items_bytes: "remembers 600 MB of items" / "items are bounded" => Sandbox "bytes remembered by one plan; at most 134217728";
            // Words.
            nameless_stream: "discovers a stream without a name" / "names are validated" => Sandbox "a stream's id has 0 bytes";
            long_stream: "discovers a stream with a name of 5,000 bytes" / "names are bounded" => Sandbox "a stream's id has 5000 bytes";
            escaping_stream: "discovers a stream whose name clears the terminal" / "names cannot act on a terminal or log" => Sandbox "holds the character U+001B";
            endless_pages: "discovers pages of nothing without end" / "a list has an end" => Sandbox "gave 1000 pages and says there are more";
            circling_pages: "discovers a page that comes after itself" / "a list has an end" => Sandbox "a page that it comes after itself";
            reversed_stream: "discovers a stream whose name reads backwards" / "names are what they look like" => Sandbox "holds the character U+202E";
            shouting: "answers a check with terminal escapes and backward text" / "words are shown, not obeyed" => Contained "terminal\\u{1b}[2J: \\u{202e}reversed";
            check_flood: "answers a check with 100,000 steps" / "answers are bounded" => Contained "100 steps";
            error_flood: "fails with a megabyte of words" / "errors are bounded" => Config "…";
            error_for_ever: "asks to be tried again in a million years" / "a guest cannot postpone a run for ever" => RateLimited "slow down";
            log_flood: "logs without end" / "logs are bounded" => Contained "lines were dropped";
            log_forgery: "logs escapes, forged lines and a secret" / "a line is one line, without secrets" => Contained "\\u{1b}[2Jfirst\\n2026-01-01 ERROR forged [secret]";
            output_flood: "writes to standard output without end" / "logs are bounded" => Contained "lines were dropped";
            // Files, environment, network.
            files: "reads /etc/passwd" / "there are no files" => NotFound "no file";
            escape_folder: "leaves a granted folder by `..`" / "a folder has no way out" => NotFound "no file";
            follow_link: "leaves a granted folder by a link" / "a folder has no way out" => NotFound "no file";
            write_folder: "writes to a granted folder" / "granted folders are read-only" => NotFound "not written";
            environment: "reads the environment" / "there is no environment" => NotFound "0 variables and arguments";
            outside_secret: "looks for a secret that it did not ask for" / "secrets stay outside" => Contained "the sandbox holds nothing";
            connect: "connects to this machine" / "loopback is refused unless granted" => Permission "127.0.0.1 is a loopback address";
            connect_undeclared: "connects to a host that it did not declare" / "only declared hosts are reached" => Permission "undeclared.example.com";
            connection_flood: "opens connections without end" / "connections are bounded" => Permission "limits.instance.connections";
            redirect: "follows a redirect to a metadata server" / "every request is checked" => Permission "169.254.169.254:80 is not among the hosts";
            smuggled_host: "sends a Host of its own" / "the host decides whom a request is for" => Contained "refused";
            smuggled_length: "sends a Transfer-Encoding of its own" / "the host frames requests" => Contained "refused";
            split_header: "sends a header with a line break in it" / "a header is one header" => Contained "refused";
            response_flood: "keeps a response that has no end" / "memory is bounded, whoever fills it" => Sandbox "limits.instance.memory_bytes";
            header_flood: "asks a server whose headers have no end" / "headers are bounded" => Contained "Protocol";
            slowloris: "waits for a server that sends a byte a second" / "a call's duration is bounded" => Sandbox "limits.instance.wall_ms = 1500";
            request_flood: "starts requests without end" / "requests are bounded" => Permission "limits.instance.connections";
            // Neighbours.
            leftovers: "searches new memory for what others left" / "an instance begins with empty memory" => Contained "0 traces";
            forged_handle: "uses a connection that it never opened" / "handles are an instance's own" => Sandbox "unknown handle index";
            clock_probe: "times what happens beside it" / "clocks tick in steps too coarse for that" => Contained "steps of 100000 ns";
        }
    };
}

/// Hands the attacks that tests make by themselves, as files, servers and configurations, to a macro.
#[macro_export]
macro_rules! made_attacks {
    ($with:ident) => {
        $with! {
            // What is uploaded.
            no_wasm: "a text in place of a component" / "only components are loaded" => Protocol "not a valid WebAssembly component";
            core_module: "a core module" / "only components are loaded" => Protocol "core WebAssembly module";
            cut_component: "half of a component" / "only whole components are loaded" => Protocol "not a valid WebAssembly component";
            precompiled: "code compiled elsewhere" / "precompiled code is never executed" => Protocol "not a valid WebAssembly component";
            forged_cache: "a forged file in the cache of compiled code" / "cached code is verified before it is executed" => Contained "compiled anew";
            oversized: "a file of 65 MiB" / "components are bounded" => Unsupported "has more than 67108864 bytes";
            function_bomb: "120,000 functions" / "what is compiled is bounded" => Protocol "120000 functions or more; at most 100000 are compiled";
            huge_function: "a function of 2 MiB" / "what is compiled is bounded" => Protocol "a function of it has 2097";
            local_bomb: "a function of 50,000 variables" / "what is compiled is bounded" => Protocol "50000 local variables; at most 20000";
            block_bomb: "blocks nested 50,000 deep" / "what is compiled is bounded" => Protocol "nests blocks deeper than 10000 levels";
            component_nest: "components nested 100 deep" / "what is compiled is bounded" => Protocol "nests others deeper than 8 levels";
            type_nest: "types nested a million deep" / "a parser's stack is bounded" => Protocol "nesting is too deep";
            type_bomb: "60,000 types" / "what is compiled is bounded" => Protocol "types or more; at most 50000 are compiled";
            module_bomb: "300 modules" / "what is compiled is bounded" => Protocol "257 nested modules or more";
            table_bomb: "a table of two billion elements" / "tables are bounded" => Protocol "begins with a table of 2000000000 elements";
            table_flood: "1,000 tables" / "what is compiled is bounded" => Protocol "1000 tables or more; at most 256";
            data_bomb: "60,000 data segments" / "what is compiled is bounded" => Protocol "60000 data segments or more";
            section_bomb: "3,000 custom sections" / "what is read is bounded" => Protocol "2001 custom sections or more";
            bad_code: "an instruction that is none" / "code is validated before it is compiled" => Protocol "not a valid WebAssembly component";
            // What it says of itself.
            no_manifest: "a component without a manifest" / "a connector says what it is" => Protocol "no custom section sluice:manifest";
            two_manifests: "a second manifest, in a nested module" / "a connector says one thing" => Protocol "more than one custom section";
            manifest_bomb: "a manifest of 2 MiB" / "manifests are bounded" => Protocol "at most 1048576 are read";
            manifest_nest: "a manifest nested 1,000 deep" / "manifests are bounded" => Protocol "recursion limit";
            unknown_claim: "a manifest that claims what is not known" / "a manifest is understood or refused" => Protocol "root_access";
            hidden_secret: "a credential that is not marked as one" / "credentials never enter the sandbox" => Protocol "does not mark as writeOnly";
            contract_lie: "a manifest that states another contract" / "a manifest fits its component" => Protocol "states contract \"7.2\"";
            imitated_title: "a title with letters of another alphabet" / "names are what they look like" => Protocol "letters of several scripts";
            escaping_title: "a title that clears the terminal" / "names cannot act on a terminal or log" => Protocol "U+001B";
            title_of_markup: "a title with a script in it" / "names cannot act on a page" => Protocol "shown as plain text";
            climbing_name: "the name ../../etc/cron.d/x" / "a name is no path" => Protocol "1 to 63 lower-case letters";
            script_link: "a link to a script as its documentation" / "links lead to pages" => Protocol "address of a page";
            climbing_folder: "a folder named /data/../../etc" / "a folder has no way out" => Protocol "without `..`";
            half_of_the_internet: "*.com as a host" / "hosts are named" => Config "a wildcard needs a suffix of two names or more";
            endless_schema: "a form that refers to itself" / "forms are bounded" => Protocol "so it has no end";
            doubling_schema: "a form that doubles forty times" / "forms are bounded" => Protocol "with its references written out";
            choice_bomb: "a choice of 100,000 options" / "forms are bounded" => Protocol "100000 options";
            pattern_bomb: "a pattern that takes gigabytes to compile" / "patterns are bounded" => Protocol "configuration schema is not valid";
            slow_pattern: "a pattern that takes for ever elsewhere" / "a form is checked in linear time" => Config "does not fit the connector";
            fetched_schema: "a form that refers to a server" / "nothing is fetched for a form" => Protocol "no place within it";
            // What it imports and exports.
            sockets: "imports the sockets of WASI 0.3" / "there are no sockets" => Permission "imports wasi:sockets/types@0.3.0";
            unknown_import: "imports an interface that nobody offers" / "imports are known ones" => Permission "imports evil:corp/secrets@1.0.0";
            escaping_import: "imports a name that clears the terminal" / "names cannot act on a terminal or log" => Permission "\\u{1b}[2J";
            future: "exports version 7.2 of the contract" / "the version is known before anything runs" => Unsupported "7.2.0";
            two_versions: "exports two versions of the contract" / "a connector has one version" => Protocol "more than one version";
            no_source: "exports something else" / "a connector is one" => Protocol "it is no connector";
            empty_promise: "exports the contract's name with nothing behind it" / "a component fits the contract's world" => Unsupported "does not fit the contract's world";
            // What no compiler would emit.
            table_growth: "grows a table without end" / "tables are bounded" => Sandbox "at most 100000 are allowed";
            born_large: "begins with 4 GiB of memory" / "memory is bounded from the start" => Sandbox "limits.instance.memory_bytes";
            endless_start: "computes without end as it is instantiated" / "starting is bounded" => Sandbox "limits.instance.cpu_ms = 300";
            busy_fill: "has the host fill memory without end" / "CPU time is bounded, whoever spends it" => Sandbox "limits.instance.cpu_ms = 300";
            shared_memory: "waits on shared memory for ever" / "no guest can stop a thread" => Protocol "shared";
            garbage_hoard: "hoards objects of the garbage collector" / "memory is bounded, whoever manages it" => Sandbox "limits.instance.memory_bytes";
            pointer_beyond: "returns a pointer outside of its memory" / "answers are read from a guest's own memory only" => Sandbox "crashed";
            list_beyond: "returns a list of two billion steps" / "answers are bounded" => Sandbox "crashed";
            answer_of_no_text: "returns a text that is none" / "answers are validated" => Sandbox "utf-8";
            answer_of_no_case: "returns a case that is none" / "answers are validated" => Sandbox "discriminant";
            wild_allocator: "allocates outside of its memory" / "arguments are written to a guest's own memory only" => Sandbox "crashed";
            // Where it connects to.
            octal_address: "the host 0177.0.0.1" / "an address has one spelling" => Config "not a plain IPv4 address";
            decimal_address: "the host 2130706433" / "an address has one spelling" => Config "not a plain IPv4 address";
            hexadecimal_address: "the host 0x7f000001" / "an address has one spelling" => Config "not a plain IPv4 address";
            short_address: "the host 127.1" / "an address has one spelling" => Config "not a plain IPv4 address";
            mapped_address: "the host ::ffff:127.0.0.1" / "an address is judged by where it leads" => Permission "127.0.0.1 is a loopback address";
            metadata_address: "a metadata server, with private networks granted" / "metadata servers are never reached" => Permission "169.254.169.254 is a cloud metadata address";
            mapped_metadata: "the same, written as IPv6" / "metadata servers are never reached" => Permission "169.254.169.254 is a cloud metadata address";
            translated_metadata: "the same, behind NAT64" / "an address is judged by where it leads" => Permission "cloud metadata";
            name_of_loopback: "a public name that resolves to this machine" / "the resolved address is what is checked" => Permission "127.0.0.1 is a loopback address";
            rebinding: "a name that resolves elsewhere the second time" / "each connection is checked and pinned" => Permission "169.254.169.254 is a cloud metadata address";
            denied_network: "a host that the operator forbids, granted by a pipeline" / "the operator has the last word" => Permission "deny list";
            host_of_two: "a host with a second one behind an @" / "a value names one host" => Config "is not a host name";
        }
    };
}

macro_rules! declare {
    ($($name:ident: $does:literal / $promise:literal => $kind:ident $words:literal;)*) => {
        /// An attack that `examples/hostile.rs` makes.
        #[allow(non_camel_case_types, missing_docs, reason = "named as in the list, which says what each does")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Attack {
            $($name,)*
        }

        impl Attack {
            /// The attack of this name, if it is one.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}
guest_attacks!(declare);
