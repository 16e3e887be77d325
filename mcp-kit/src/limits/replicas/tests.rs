//! Against a real `redis-server`.

use std::net::{IpAddr, TcpListener};

use ::redis::Commands as _;

use crate::caller::Principal;
use crate::limits::replicas::*;
use crate::limits::{Budgets, EdgeLimits, EdgeRates, Ledger, Rate, Refused};
use crate::limits::{OwnerUnknown, SessionRecord, SharedSessions};
use crate::protocol::{ClientCapabilities, ClientDetails, ClientInfo, ProtocolVersion};

use super::test_store::Redis;

const ALICE: [&[u8]; 3] = [b"alice", b"tool", b"search"];
const BOB: [&[u8]; 3] = [b"bob", b"tool", b"search"];

fn store(redis: &Redis) -> RedisLimits {
    RedisLimits::new(&redis.url())
        .unwrap()
        // The machine may be busy with other tests.
        .timeout(Duration::from_secs(20))
}

/// A connection for the test itself.
fn connect(redis: &Redis) -> ::redis::Connection {
    ::redis::Client::open(redis.url())
        .unwrap()
        .get_connection()
        .unwrap()
}

impl RedisLimits {
    /// Asks again at once after a failure.
    fn without_pause(self) -> Self {
        self.change(|settings| settings.pause = Duration::ZERO)
    }
}

fn budgets(store: RedisLimits, rate: Rate) -> Budgets {
    ledger(store, "server").budgets("tool", rate)
}

fn ledger(store: RedisLimits, server: &str) -> Ledger {
    Ledger::new(1_000).shared(Some(store), server)
}

fn seconds(outcome: Result<(), Refused>) -> u64 {
    match outcome.unwrap_err() {
        Refused::Wait(wait) => wait.as_secs(),
        Refused::Unavailable => panic!("unavailable"),
    }
}

#[tokio::test]
async fn replicas_share_each_budget() {
    let Some(redis) = Redis::start() else { return };
    let rate = Rate::per_hour(3);
    let [a, b] = [budgets(store(&redis), rate), budgets(store(&redis), rate)];
    for replica in [&a, &b, &a] {
        assert_eq!(replica.take(ALICE).await, Ok(()));
    }
    for replica in [&b, &a, &b] {
        let wait = seconds(replica.take(ALICE).await);
        assert!((1_100..=1_200).contains(&wait), "{wait}");
    }
    // No other caller waits: neither another caller or tool, nor another
    // server, limit or rate.
    assert_eq!(b.take(BOB).await, Ok(()));
    assert_eq!(b.take([b"alice", b"tool", b"fetch"]).await, Ok(()));
    let other = ledger(store(&redis), "other").budgets("tool", rate);
    assert_eq!(other.take(ALICE).await, Ok(()));
    let other = ledger(store(&redis), "server").budgets("principal", rate);
    assert_eq!(other.take(ALICE).await, Ok(()));
    let other = budgets(store(&redis), Rate::per_hour(4));
    assert_eq!(other.take(ALICE).await, Ok(()));
    let other = budgets(store(&redis).key_prefix("staging:"), rate);
    assert_eq!(other.take(ALICE).await, Ok(()));
}

#[tokio::test]
async fn addresses_and_principals_are_shared_too() {
    let Some(redis) = Redis::start() else { return };
    let rates = EdgeRates {
        address: Some(Rate::per_hour(1)),
        principal: Some(Rate::per_hour(1)),
        #[cfg(feature = "sse")]
        stream: Some(Rate::per_hour(1)),
    };
    let replica = || EdgeLimits::new(&rates, &ledger(store(&redis), "server"));
    let [a, b] = [replica(), replica()];
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    let alice = Principal::new("alice", [""; 0]);
    assert!(a.arrival(address).unwrap().of_unknown().await.is_ok());
    assert!(a.principal(&alice).await.is_ok());
    // Another replica has the store's word for it, and then remembers it.
    assert!(b.arrival(address).unwrap().of_unknown().await.is_err());
    assert!(b.arrival(address).is_err());
    assert!(b.principal(&alice).await.is_err());
    #[cfg(feature = "sse")]
    {
        assert!(a.stream(&alice).await.is_ok());
        assert!(b.stream(&alice).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time_take_no_more_than_there_is() {
    let Some(redis) = Redis::start() else { return };
    let rate = Rate::per_hour(20);
    let replicas: Vec<_> = (0..4)
        .map(|_| Arc::new(budgets(store(&redis), rate)))
        .collect();
    let calls: Vec<_> = (0..200)
        .map(|at| {
            let replica = Arc::clone(&replicas[at % 4]);
            tokio::spawn(async move { replica.take(ALICE).await })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        passed += usize::from(call.await.unwrap().is_ok());
    }
    assert_eq!(passed, 20);
}

#[tokio::test]
async fn a_budget_comes_back_with_time() {
    let Some(redis) = Redis::start() else { return };
    let rate = Rate::per_second(2);
    let [a, b] = [budgets(store(&redis), rate), budgets(store(&redis), rate)];
    while a.take(ALICE).await.is_ok() {}
    while let Err(refused) = b.take(ALICE).await {
        let Refused::Wait(wait) = refused else {
            panic!("{refused:?}");
        };
        assert!(wait <= Duration::from_millis(500), "{wait:?}");
        tokio::time::sleep(wait).await;
    }
}

/// Its name is looked up where no blocking tool can keep it waiting.
#[test]
fn the_store_is_found_by_name_while_every_blocking_thread_is_taken() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url().replace("127.0.0.1", "localhost");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || gate.recv());
        let store = RedisLimits::new(&url)
            .unwrap()
            .timeout(Duration::from_secs(20));
        store.ping().await.unwrap();
    });
    drop(release);
}

#[tokio::test]
async fn rates_longer_than_the_clock_let_calls_through() {
    let Some(redis) = Redis::start() else { return };
    for rate in [Rate::per_second(u32::MAX), Rate::per_second(1_000_000)] {
        let budgets = budgets(store(&redis).fail_closed(), rate);
        for _ in 0..100 {
            assert_eq!(budgets.take(ALICE).await, Ok(()), "{rate}");
        }
    }
}

#[tokio::test]
async fn the_store_holds_no_names_and_nothing_for_good() {
    let Some(redis) = Redis::start() else { return };
    let edge = EdgeLimits::new(&EdgeRates::default(), &ledger(store(&redis), "server"));
    let arrival = edge.arrival("192.0.2.1".parse().unwrap()).unwrap();
    arrival.of_unknown().await.unwrap();
    budgets(store(&redis), Rate::per_minute(60))
        .take(ALICE)
        .await
        .unwrap();
    let alice = Principal::new("alice", [""; 0]);
    RedisSessions::new(store(&redis), "server")
        .put(
            "session-77441",
            &SessionRecord::new(&alice, ProtocolVersion::V2025_06_18, None),
            Duration::from_secs(60),
        )
        .await
        .unwrap();

    let mut connection = connect(&redis);
    let keys: Vec<String> = connection.keys("*").unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        let value: String = connection.get(&key).unwrap();
        for name in ["alice", "search", "192.0.2.1", "server", "session-77441"] {
            assert!(
                !key.contains(name) && !value.contains(name),
                "{key} {value}"
            );
        }
        assert!(key.starts_with("mcp-kit:"), "{key}");
        let lifetime: i64 = connection.pttl(&key).unwrap();
        assert!((1..=60_000).contains(&lifetime), "{key} {lifetime}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_no_caller_out() {
    let Some(redis) = Redis::start() else { return };
    let rate = Rate::per_minute(6);
    let here = budgets(store(&redis), rate);
    here.take(ALICE).await.unwrap();
    let mut connection = connect(&redis);
    let keys: Vec<String> = connection.keys("*").unwrap();
    let far: String = connection.get(&keys[0]).unwrap();
    let far = far.parse::<u64>().unwrap() + 86_400_000_000;
    let () = connection.set(&keys[0], far).unwrap();
    assert!(seconds(here.take(ALICE).await) <= 10);
}

#[tokio::test]
async fn a_caller_that_must_wait_is_refused_without_the_store() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let rate = Rate::per_hour(1);
    let [a, b] = [(); 2].map(|()| budgets(store(&redis).fail_closed(), rate));
    a.take(ALICE).await.unwrap();
    assert!(seconds(b.take(ALICE).await) > 3_000);
    redis.kill();
    for replica in [&a, &b] {
        assert!(seconds(replica.take(ALICE).await) > 3_000);
    }
    assert_eq!(b.take(BOB).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn a_store_that_comes_back_counts_again() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let rate = Rate::per_hour(2);
    let open = budgets(store(&redis).without_pause(), rate);
    let closed = budgets(store(&redis).fail_closed().without_pause(), rate);
    assert_eq!(open.take(ALICE).await, Ok(()));
    assert_eq!(closed.take(ALICE).await, Ok(()));
    redis.kill();
    assert_eq!(open.take(BOB).await, Ok(()));
    let refused = closed.take(BOB).await.unwrap_err();
    assert!(refused.is_unavailable());
    assert_eq!(refused.retry_after_seconds(), 1);

    assert!(redis.restart());
    // Empty again, and asked again: what one replica takes, the other lacks.
    let key: [&[u8]; 3] = [b"carol", b"tool", b"search"];
    assert_eq!(closed.take(key).await, Ok(()));
    assert_eq!(open.take(key).await, Ok(()));
    assert!(seconds(closed.take(key).await) > 1_700);
    assert!(seconds(open.take(key).await) > 1_700);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_noticed() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let closed = budgets(store(&redis).fail_closed(), Rate::per_hour(9));
    closed.take(ALICE).await.unwrap();
    let mut connection = connect(&redis);
    let killed: u32 = ::redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .query(&mut connection)
        .unwrap();
    assert_eq!(killed, 1);
    assert_eq!(closed.take(ALICE).await, Ok(()));
    // Nor is a store that was started anew, and knows no script.
    assert!(redis.restart());
    assert_eq!(closed.take(ALICE).await, Ok(()));
}

#[tokio::test]
async fn a_store_that_is_silent_is_not_waited_for_again_and_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let store = || {
        RedisLimits::new(&url)
            .unwrap()
            .timeout(Duration::from_millis(20))
            .change(|settings| settings.pause = Duration::from_secs(3_600))
    };
    let open = budgets(store(), Rate::per_hour(50));
    let closed = budgets(store().fail_closed(), Rate::per_hour(50));
    for _ in 0..50 {
        assert_eq!(open.take(ALICE).await, Ok(()));
        assert_eq!(closed.take(ALICE).await, Err(Refused::Unavailable));
    }
    assert!(seconds(open.take(ALICE).await) > 60);
    let asked = std::iter::from_fn(|| silent.accept().ok()).count();
    assert_eq!(asked, 2, "once by each");
}

#[tokio::test]
async fn a_session_is_known_to_every_replica_until_it_ends() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [(); 2].map(|()| RedisSessions::new(store(&redis), "server"));
    let alice = Principal::new("alice", ["admin"]);
    let declared = ClientDetails {
        info: ClientInfo::from_json(r#"{"name":"Ada's client","version":"1 β","title":"\"A\""}"#),
        capabilities: ClientCapabilities::from_json(r#"{"elicitation":{},"roots":{}}"#),
        extensions: vec!["com.example/a".into(), "com.example/b".into()],
    };
    let record = SessionRecord::new(&alice, ProtocolVersion::V2025_03_26, Some(&declared));
    let minute = Duration::from_secs(60);
    a.put("id", &record, minute).await.unwrap();

    let known = b.get("id", minute).await.unwrap().unwrap();
    assert_eq!(known, record);
    assert_eq!(known.client().info, declared.info);
    assert_eq!(known.version, ProtocolVersion::V2025_03_26);
    assert!(known.is_owned_by(&Principal::new("alice", [""; 0])));
    assert!(!known.is_owned_by(&Principal::new("bob", ["admin"])));
    assert_eq!(b.get("another", minute).await, Ok(None));
    let other = RedisSessions::new(store(&redis), "other");
    assert_eq!(other.get("id", minute).await, Ok(None));

    b.remove("id").await.unwrap();
    assert_eq!(a.get("id", minute).await, Ok(None));
}

#[tokio::test]
async fn a_session_lives_on_while_it_is_used() {
    let Some(redis) = Redis::start() else { return };
    let sessions = RedisSessions::new(store(&redis), "server");
    let alice = Principal::new("alice", [""; 0]);
    let record = SessionRecord::new(&alice, ProtocolVersion::NEWEST_LEGACY, None);
    let mut connection = connect(&redis);
    let mut lifetime = || -> Option<i64> {
        let keys: Vec<String> = connection.keys("*").unwrap();
        Some(connection.pttl(keys.first()?).unwrap())
    };
    sessions
        .put("id", &record, Duration::from_secs(60))
        .await
        .unwrap();
    assert!(lifetime().unwrap() <= 60_000);
    sessions.get("id", Duration::from_secs(600)).await.unwrap();
    assert!(lifetime().unwrap() > 60_000);
    sessions.get("id", Duration::from_millis(1)).await.unwrap();
    // Below zero once there is no such key.
    while lifetime().is_some_and(|lifetime| lifetime >= 0) {}
    assert_eq!(sessions.get("id", Duration::from_secs(60)).await, Ok(None));
}

#[tokio::test]
async fn whose_session_it_is_does_not_fail_open() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let open = RedisSessions::new(store(&redis).fail_open(), "server");
    let closed = RedisSessions::new(store(&redis).fail_closed(), "server");
    redis.kill();
    let alice = Principal::new("alice", [""; 0]);
    let record = SessionRecord::new(&alice, ProtocolVersion::NEWEST_LEGACY, None);
    let minute = Duration::from_secs(60);
    for sessions in [&open, &closed] {
        assert_eq!(sessions.get("id", minute).await, Err(OwnerUnknown));
        // One that could not be found again is not opened.
        let put = sessions.put("id", &record, minute).await;
        assert_eq!(put, Err(OwnerUnknown));
        assert_eq!(sessions.remove("id").await, Err(OwnerUnknown));
    }
}
