//! What the settings of a URL do.

use std::net::TcpListener;

use database::Postgres;
use serde_json::json;

use crate::{
    cluster::{Cluster, cluster},
    program,
    support::FOREVER,
};

/// What the program prints for a query, with the server's certificate trusted.
fn call(cluster: &Cluster, url: &str) -> String {
    let arguments =
        json!({"sql": "SELECT 'encrypted: ' || ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"});
    let output = program(url)
        .env("SSL_CERT_FILE", cluster.certificate())
        .args(["call", "query", &arguments.to_string()])
        .output();
    let output = output.expect("the program runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn hostaddr_replaces_the_look_up_of_the_host_and_not_its_name_in_tls() {
    let Some(cluster) = cluster() else { return };
    for (host, settings, words) in [
        ("localhost", "require&hostaddr=127.0.0.1", "encrypted: true"),
        (
            "nowhere.invalid",
            "disable&hostaddr=127.0.0.1",
            "encrypted: false",
        ),
        (
            "nowhere.invalid",
            "require&hostaddr=127.0.0.1",
            "invalid peer certificate",
        ),
        (
            "localhost",
            "disable&hostaddr=127.0.0.1,127.0.0.1",
            "the PostgreSQL URL is wrong",
        ),
    ] {
        let url = cluster.tcp_url("reader", "hostaddr", settings);
        let text = call(&cluster, &url.replace("@localhost:", &format!("@{host}:")));
        assert!(text.contains(words), "{host} {settings}: {text}");
    }
}

/// The first host accepts connections and never answers.
#[test]
fn connect_timeout_leads_to_the_next_host() {
    let Some(cluster) = cluster() else { return };
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().map(|address| (address, silent));
    let (address, _open) = silent.expect("an address");
    let url = cluster.tcp_url("reader", "connect_timeout", "require&connect_timeout=1");
    let text = call(&cluster, &url.replace("@", &format!("@{address},")));
    assert!(text.contains("encrypted: true"), "{text}");
}

#[tokio::test]
async fn settings_without_an_effect_are_refused_by_name() {
    for setting in [
        "target_session_attrs=read-write",
        "keepalives=0",
        "keepalives_idle=60",
        "tcp_user_timeout=5",
        "channel_binding=require",
        "load_balance_hosts=random",
        "sslrootcert=hunter2",
    ] {
        let url = format!("postgres://u:hunter2?x=y@127.0.0.1:1/d?sslmode=require&{setting}");
        let refused = Postgres::connect(&url.into(), FOREVER).await;
        let error = refused.err().expect(setting).to_string();
        let (name, _) = setting.split_once('=').expect("a name");
        assert!(
            error.contains(&format!(
                "has the setting {name}, which this server does not support: remove it"
            )),
            "{setting}: {error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}
