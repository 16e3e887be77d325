//! What only a proxy between this server and PostgreSQL can see or change: how
//! many connections there are, and the words of errors.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use database::{Database as _, Postgres};
use mcp_kit::testing::TestClient;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    cluster::{Cluster, cluster},
    ends::on_a_thread,
    support::{FOREVER, refusal, server},
};

struct Proxy {
    folder: PathBuf,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(cluster: &Cluster, name: &str) -> Self {
        let folder = cluster.other_folder(name);
        let listener = UnixListener::bind(cluster.socket(&folder)).expect("a socket");
        let postgres = cluster.socket(cluster.folder());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let server = UnixStream::connect(&postgres).await.expect("PostgreSQL");
                tokio::spawn(pass_on(client, server));
            }
        });
        Self {
            folder,
            connections,
        }
    }
}

/// Ends both connections when one of them ends.
async fn pass_on(client: UnixStream, server: UnixStream) {
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = without_words(from_server, to_client) => {}
    }
}

/// The server in a language that this program does not read: every word of an
/// error is replaced.
async fn without_words(mut server: OwnedReadHalf, mut client: OwnedWriteHalf) -> io::Result<()> {
    loop {
        let kind = server.read_u8().await?;
        let length = server.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        server.read_exact(&mut body).await?;
        if kind == b'E' {
            // A field is a letter, a text and NUL. These are for people to read:
            // severity, message, DETAIL, HINT, CONTEXT.
            for field in body.split_mut(|&byte| byte == 0) {
                if let [b'S' | b'M' | b'D' | b'H' | b'W', words @ ..] = field {
                    words.fill(b'x');
                }
            }
        }
        client.write_u8(kind).await?;
        client.write_u32(length).await?;
        client.write_all(&body).await?;
    }
}

#[tokio::test]
async fn a_readiness_probe_opens_one_connection() {
    let Some(cluster) = cluster() else { return };
    let proxy = Proxy::start(&cluster, "probed");
    let url = cluster.url_of(&[&proxy.folder], "reader", "probed");
    let database = Postgres::connect(&url, FOREVER).await.expect("a database");
    let before = proxy.connections.load(Ordering::Relaxed);
    assert!(database.is_ready().await);
    // A cancel request comes before the connection's end.
    on_a_thread(&cluster, |cluster| cluster.wait_for_none("probed")).await;
    assert_eq!(proxy.connections.load(Ordering::Relaxed) - before, 1);
}

#[tokio::test]
async fn errors_are_explained_by_their_codes_in_every_language() {
    let Some(cluster) = cluster() else { return };
    let proxy = Proxy::start(&cluster, "foreign");
    let url = cluster.url_of(&[&proxy.folder], "reader", "foreign");
    let database = Postgres::connect(&url, FOREVER).await.expect("a database");
    let client = TestClient::new(&server(database)).await;
    for (sql, words) in [
        ("SELECT 1; SELECT 2", "Only one statement is allowed"),
        ("SELECT fails()", "A function of the database raised"),
        (
            "SELECT fails_otherwise()",
            "A function of the database raised",
        ),
        (
            "SELECT *\nFRM customers",
            "xxxx, at line 2, column 1 (`FRM`)",
        ),
        ("SELECT * FROM secret", "does not allow this"),
        ("DROP TABLE customers", "Only reading is allowed"),
        ("SELECT nextval('numbers')", "does not allow this"),
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains(words), "{sql}: {text}");
    }
}
