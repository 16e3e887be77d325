//! Types of std and of other crates that need no attribute but garde's `skip`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Range;
use std::time::Duration;

use super::*;
use crate::testing::assert_schema_agrees as agrees;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[garde(allow_unvalidated)]
struct Addresses {
    ip: IpAddr,
    v4: Ipv4Addr,
    v6: Vec<Ipv6Addr>,
    /// Where to listen.
    socket: Option<SocketAddr>,
    socket_v4: SocketAddrV4,
    socket_v6: SocketAddrV6,
}

#[test]
fn addresses_are_published_checked_and_reported() {
    let published = schema::<Addresses>();
    let socket = &published["properties"]["socket"];
    assert_eq!(
        socket["description"],
        "Where to listen. Must be an IP address with a port such as 192.0.2.1:8080 or \
         [2001:db8::1]:8080."
    );
    assert!(socket["pattern"].is_string());
    decoded::<Addresses>(
        r#"{"ip":"::1","v4":"192.0.2.1","v6":["::"],"socket":"[2001:db8::1]:80",
            "socket_v4":"192.0.2.1:80","socket_v6":"[fe80::1%3]:80"}"#,
    );
    assert_eq!(
        refused::<Addresses>(
            r#"{"ip":"a","v4":"::1","v6":["1.2.3.4"],"socket":"x:1","socket_v4":"[::1]:1","socket_v6":"1.2.3.4:1"}"#
        ),
        "ip: must be an IP address; v4: must be an IPv4 address; v6[0]: must be an IPv6 address; \
         socket: must be an IP address with a port such as 192.0.2.1:8080 or [2001:db8::1]:8080; \
         socket_v4: must be an IPv4 address with a port such as 192.0.2.1:8080; \
         socket_v6: must be an IPv6 address with a port such as [2001:db8::1]:8080"
    );
    agrees::<Addresses>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[garde(allow_unvalidated)]
struct Spans {
    /// How long to wait.
    wait: Duration,
    pages: Option<Range<u8>>,
}

#[test]
fn durations_and_ranges_are_objects_with_known_members() {
    let published = schema::<Spans>();
    let wait = &published["properties"]["wait"];
    assert_eq!(
        wait["description"],
        "How long to wait. Must be a duration in seconds and nanoseconds such as \
         {\"secs\": 90, \"nanos\": 0}."
    );
    assert_eq!(wait["additionalProperties"], json!(false));
    assert_eq!(wait["properties"]["nanos"]["maximum"], json!(u32::MAX));
    assert!(!published.to_string().contains("\"format\""), "{published}");
    decoded::<Spans>(r#"{"wait":{"secs":90,"nanos":5},"pages":{"start":1,"end":2}}"#);
    assert_eq!(
        refused::<Spans>(r#"{"wait":{"seconds":90,"nanos":-1},"pages":{"start":300,"end":2}}"#),
        "wait.nanos: must be at least 0; wait.secs: is required; \
         pages.start: must be at most 255; wait: unknown argument \"seconds\""
    );
    agrees::<Spans>();
}

#[cfg(feature = "chrono")]
#[test]
fn chrono_needs_no_attribute() {
    use chrono::{
        DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday,
    };

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Args {
        /// The last day.
        #[garde(skip)]
        due: Option<NaiveDate>,
        #[garde(length(max = 3))]
        days: Vec<NaiveDate>,
        #[garde(skip)]
        time: NaiveTime,
        #[garde(skip)]
        local: NaiveDateTime,
        #[garde(skip)]
        at: DateTime<Utc>,
        #[garde(skip)]
        seen: Option<DateTime<FixedOffset>>,
        #[garde(skip)]
        weekday: Weekday,
        #[garde(skip)]
        wait: TimeDelta,
    }

    let published = schema::<Args>();
    assert_eq!(published["properties"]["days"]["items"]["format"], "date");
    assert_eq!(published["properties"]["at"]["format"], "date-time");
    assert_eq!(published["properties"]["time"]["format"], Value::Null);
    decoded::<Args>(
        r#"{"due":"2026-12-31","days":["2026-02-28"],"time":"09:30:00","local":"2026-12-31T09:30:00",
            "at":"2026-12-31T09:30:00+02:00","weekday":"Mon","wait":[90,0]}"#,
    );
    assert_eq!(
        refused::<Args>(
            r#"{"due":"31.12.2026","days":["2026-12-31","2026-02-30"],"time":"noon","local":"2026-12-31",
                "at":"tomorrow","seen":"2026-12-31T09:30:00","weekday":"Mo","wait":[90,-1]}"#
        ),
        "due: must be a date such as 2026-12-31; days[1]: must be a date such as 2026-12-31; \
         time: must be a time of day such as 09:30:00; \
         local: must be a date and time without a time zone such as 2026-12-31T09:30:00; \
         at: must be a date and time with an offset such as 2026-12-31T09:30:00Z; \
         seen: must be a date and time with an offset such as 2026-12-31T09:30:00Z; \
         weekday: must be \"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\", \"Sat\" or \"Sun\"; \
         wait[1]: must be at least 0"
    );
    agrees::<Args>();
}

#[cfg(feature = "jiff")]
#[test]
fn jiff_needs_no_attribute() {
    use jiff::civil::{Date, DateTime, Time};
    use jiff::{SignedDuration, Span, Timestamp, Zoned};

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    #[garde(allow_unvalidated)]
    struct Args {
        date: Date,
        time: Time,
        local: DateTime,
        at: Timestamp,
        zoned: Option<Zoned>,
        span: Span,
        wait: SignedDuration,
    }

    decoded::<Args>(
        r#"{"date":"2026-12-31","time":"09:30:00","local":"2026-12-31T09:30:00",
            "at":"2026-12-31T09:30:00Z","zoned":"2026-12-31T09:30:00+00:00[+00:00]",
            "span":"P1M","wait":"PT1H30M"}"#,
    );
    assert_eq!(
        refused::<Args>(
            r#"{"date":"x","time":"x","local":"x","at":"x","zoned":"x","span":"x","wait":"P1M"}"#
        ),
        "date: must be a date such as 2026-12-31; time: must be a time of day such as 09:30:00; \
         local: must be a date and time without a time zone such as 2026-12-31T09:30:00; \
         at: must be a date and time with an offset such as 2026-12-31T09:30:00Z; \
         zoned: must be a date and time with a time zone such as \
         2026-12-31T09:30:00+01:00[Europe/Paris]; span: must be a duration such as PT1H30M; \
         wait: must be a duration such as PT1H30M"
    );
    agrees::<Args>();
}

#[cfg(all(feature = "rust_decimal", feature = "url", feature = "uuid"))]
#[test]
fn decimals_urls_and_uuids_need_no_attribute() {
    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Args {
        /// The price.
        #[garde(skip)]
        price: rust_decimal::Decimal,
        #[garde(skip)]
        page: url::Url,
        #[garde(skip)]
        ids: BTreeMap<String, uuid::Uuid>,
    }

    let published = schema::<Args>();
    let properties = &published["properties"];
    assert_eq!(
        properties["price"]["description"],
        "The price. Must be a decimal number such as 12.50."
    );
    assert_eq!(properties["page"]["format"], "uri");
    assert_eq!(properties["ids"]["additionalProperties"]["format"], "uuid");
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    for price in ["\"12.50\"", "12.5", "-3"] {
        let args: Args = decoded(&format!(
            r#"{{"price":{price},"page":"https://example.com","ids":{{"a":"{id}"}}}}"#
        ));
        assert_eq!(args.ids["a"].to_string(), id);
    }
    assert_eq!(
        refused::<Args>(r#"{"price":"12,50","page":"example.com","ids":{"a":"1"}}"#),
        "price: must be a decimal number such as 12.50; \
         page: must be a URL such as https://example.com/page; \
         ids.a: must be a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8"
    );
    assert_eq!(
        refused::<Args>(r#"{"price":1e30,"page":"https://example.com","ids":{}}"#),
        "price: must be a decimal number such as 12.50"
    );
    agrees::<Args>();
}
