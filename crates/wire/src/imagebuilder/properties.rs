//! What holds for every shape and operation of the model, on generated values.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::imagebuilder::generated::echo::Echo;
use crate::imagebuilder::generated::operations::ACTIONS;
use crate::imagebuilder::generated::trips::TRIPS;
use crate::imagebuilder::{Call, Operation, SHAPES, accept, answer};
use crate::{Bounds, Kind, Location, Shape, check_input, check_output, route};

/// How many values of each shape are tried.
const TRIES: usize = 6;

/// What botocore leaves as it is in paths and queries.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn lengths(bounds: &Bounds<usize>) -> std::ops::RangeInclusive<usize> {
    let least = bounds.min.unwrap_or(0);
    least..=(least + 3).min(bounds.max.unwrap_or(usize::MAX))
}

/// Returns what generates valid values of `shape`.
fn values(shape: &'static Shape) -> BoxedStrategy<Value> {
    match &shape.kind {
        Kind::String { length, pattern: None } => vec(any::<char>(), lengths(length))
            .prop_map(|symbols| Value::String(symbols.into_iter().collect()))
            .boxed(),
        Kind::String { length, pattern: Some(pattern) } => string_regex(pattern.regex)
            .unwrap()
            .prop_filter("has the length and the beginning", |text| {
                let count = text.chars().count();
                !length.too_small(count) && !length.too_large(count) && pattern.accepts(text)
            })
            .prop_map(Value::String)
            .boxed(),
        Kind::Enum(words) => select(*words).prop_map(Value::from).boxed(),
        Kind::DateTime => {
            string_regex(r"20[0-9]{2}-0[1-9]-[12][0-9]T0[0-9](:[0-5][0-9]){2}\.[0-9]{3}Z")
                .unwrap()
                .prop_map(Value::String)
                .boxed()
        }
        Kind::Timestamp => (0u64..4_000_000_000, any::<bool>())
            .prop_map(|(seconds, whole)| match whole {
                true => json!(seconds),
                false => json!(seconds as f64 + 0.25),
            })
            .boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Integer(Bounds { min, max }) => {
            (min.unwrap_or(i64::MIN)..=max.unwrap_or(i64::MAX)).prop_map(Value::from).boxed()
        }
        Kind::Double(Bounds { min, .. }) => {
            let least = min.unwrap_or(-1e6);
            (0u32..1_000_000).prop_map(move |step| json!(least + f64::from(step) + 0.5)).boxed()
        }
        Kind::List { member, length } => {
            vec(values(member), lengths(length)).prop_map(Value::Array).boxed()
        }
        Kind::Map { key, value, length } => {
            let key = values(key).prop_map(|key| key.as_str().unwrap().to_owned());
            btree_map(key, values(value), lengths(length))
                .prop_map(|entries| Value::Object(entries.into_iter().collect()))
                .boxed()
        }
        Kind::Structure(members) => {
            let held: Vec<_> = members.iter().map(held).collect();
            held.prop_map(|held| Value::Object(held.into_iter().flatten().collect())).boxed()
        }
    }
}

/// Returns what generates one member of an object, or its absence.
fn held(member: &'static crate::Member) -> BoxedStrategy<Option<(String, Value)>> {
    let there = if member.required { Just(true).boxed() } else { any::<bool>().boxed() };
    (there, values(member.shape))
        .prop_map(|(there, value)| there.then(|| (member.name.to_owned(), value)))
        .boxed()
}

fn sample(strategy: &BoxedStrategy<Value>, runner: &mut TestRunner) -> Value {
    strategy.new_tree(runner).unwrap().current()
}

/// Returns values that each break one constraint of `shape`.
fn broken(shape: &'static Shape, runner: &mut TestRunner) -> Vec<Value> {
    let strategy = values(shape);
    let valid = sample(&strategy, runner);
    match &shape.kind {
        Kind::String { length, pattern } => {
            let short = length.min.filter(|min| *min > 0).map(|min| "x".repeat(min - 1));
            let long = length.max.map(|max| "x".repeat(max + 1));
            let odd = pattern.is_some().then(|| format!("{}\0/", valid.as_str().unwrap()));
            let ahead = pattern.and_then(|pattern| pattern.unless).map(str::to_owned);
            let texts = [short, long, odd, ahead].into_iter().flatten();
            texts.map(Value::String).chain([json!(7)]).collect()
        }
        Kind::Enum(_) => vec![json!("no such word"), json!(""), json!(7)],
        Kind::DateTime => vec![json!("2026-13-01T00:00:00.000Z"), json!("yesterday"), json!(7)],
        Kind::Timestamp => vec![json!("2026-01-01T00:00:00Z"), json!(-1), json!(1e12)],
        Kind::Boolean => vec![json!("true"), json!(1)],
        Kind::Integer(Bounds { min, max }) => {
            let under = min.and_then(|min| min.checked_sub(1)).map(Value::from);
            let over = max.and_then(|max| max.checked_add(1)).map(Value::from);
            under.into_iter().chain(over).chain([json!("1"), json!(1.5), json!(u64::MAX)]).collect()
        }
        Kind::Double(Bounds { min, .. }) => {
            min.map(|min| json!(min - 1.0)).into_iter().chain([json!("1")]).collect()
        }
        Kind::List { member, length } => {
            let item = sample(&values(member), runner);
            let few = length.min.filter(|min| *min > 0).map(|min| vec![item.clone(); min - 1]);
            let many = length.max.map(|max| vec![item.clone(); max + 1]);
            let inner = broken(member, runner).into_iter().map(|bad| vec![bad]);
            few.into_iter().chain(many).chain(inner).map(Value::Array).chain([json!({})]).collect()
        }
        Kind::Map { key, value, length } => {
            let entry = sample(&values(value), runner);
            let many = length.max.map(|max| {
                (0..=max).map(|at| (format!("k{at}"), entry.clone())).collect::<Map<_, _>>()
            });
            let keys =
                broken(key, runner).into_iter().filter_map(|key| Some(key.as_str()?.to_owned()));
            let keys = keys.map(|key| Map::from_iter([(key, entry.clone())]));
            let inner = broken(value, runner).into_iter();
            let inner = inner.map(|bad| Map::from_iter([("key".to_owned(), bad)]));
            let none = length.min.filter(|min| *min > 0).map(|_| Map::new());
            let maps = many.into_iter().chain(none).chain(keys).chain(inner).map(Value::Object);
            maps.chain([json!([])]).collect()
        }
        Kind::Structure(_) => vec![json!([]), json!("x")],
    }
}

#[test]
fn valid_values_pass_and_survive_their_types() {
    let mut runner = TestRunner::deterministic();
    for (shape, trip) in TRIPS {
        let strategy = values(shape);
        for _ in 0..TRIES {
            let value = sample(&strategy, &mut runner);
            assert_eq!(check_input(shape, &value).told(), [], "{} {value}", shape.name);
            assert_eq!(check_output(shape, &value).told(), [], "{} {value}", shape.name);
            let back =
                trip(value.clone()).unwrap_or_else(|error| panic!("{}: {error}", shape.name));
            assert_eq!(back, value, "{}", shape.name);
        }
    }
    let structures = SHAPES.iter().filter(|shape| matches!(shape.kind, Kind::Structure(_)));
    assert_eq!(TRIPS.len(), structures.count());
}

#[test]
fn every_broken_constraint_is_refused_where_it_is() {
    let mut runner = TestRunner::deterministic();
    for (shape, _) in TRIPS {
        let valid = sample(&values(shape), &mut runner);
        for member in shape.members() {
            for bad in broken(member.shape, &mut runner) {
                let mut value = valid.clone();
                value[member.name] = bad.clone();
                let problems = check_input(shape, &value);
                assert!(!problems.is_empty(), "{} {} {bad}", shape.name, member.name);
                for problem in problems.told() {
                    assert!(problem.path.starts_with(member.name), "{problem}");
                }
                assert_eq!(check_output(shape, &value), problems);
            }
        }
    }
}

#[test]
fn missing_and_unknown_members_are_refused() {
    let mut runner = TestRunner::deterministic();
    for (shape, _) in TRIPS {
        let valid = sample(&values(shape), &mut runner);
        for member in shape.members().iter().filter(|member| member.required) {
            let mut value = valid.clone();
            value.as_object_mut().unwrap().remove(member.name);
            let missing = check_input(shape, &value);
            let [told] = missing.told() else { panic!("{} {}", shape.name, member.name) };
            assert_eq!((&*told.path, &*told.rule), (member.name, "must not be null"));
            value[member.name] = Value::Null;
            assert_eq!(check_input(shape, &value), missing);
        }
        let mut value = valid;
        value["noSuchMember"] = json!(1);
        let unknown = check_input(shape, &value);
        let [told] = unknown.told() else { panic!("{}: {unknown}", shape.name) };
        assert_eq!(told.rule, format!("is not a member of {}", shape.name));
    }
}

/// Returns the request a client sends for `input`.
fn request(operation: Operation, input: &Value) -> Request<Bytes> {
    let action = operation.action();
    let encode = |value: &Value| utf8_percent_encode(value.as_str().unwrap(), ENCODED).to_string();
    let (mut path, mut query, mut body) = (action.path.to_owned(), String::new(), Map::new());
    for member in action.input.members() {
        let Some(value) = input.get(member.name) else { continue };
        match member.location {
            Location::Path => path = path.replace(&format!("{{{}}}", member.name), &encode(value)),
            Location::Query => {
                for item in value.as_array().unwrap_or(&vec![value.clone()]) {
                    query.push_str(&format!("&{}={}", member.name, encode(item)));
                }
            }
            Location::Body => {
                body.insert(member.name.to_owned(), value.clone());
            }
        }
    }
    let body = if body.is_empty() { Bytes::new() } else { Value::Object(body).to_string().into() };
    let request = Request::builder().method(&action.method);
    request.uri(format!("{path}?x-id={operation}{query}")).body(body).unwrap()
}

#[test]
fn requests_of_every_operation_arrive_as_they_were_meant() {
    let mut runner = TestRunner::deterministic();
    for &operation in Operation::ALL {
        let strategy = values(operation.action().input);
        for _ in 0..TRIES {
            let input = sample(&strategy, &mut runner);
            let Call { operation: found, input: read } = accept(&request(operation, &input))
                .unwrap_or_else(|error| panic!("{operation}: {error}"));
            assert_eq!(found, operation);
            assert_eq!(read, input);
        }
    }
}

#[test]
fn every_operation_is_dispatched_to_its_method() {
    let mut runner = TestRunner::deterministic();
    for &operation in Operation::ALL {
        let input = sample(&values(operation.action().input), &mut runner);
        let request = request(operation, &input);
        let response = pin!(answer(&Echo, &(), &request, "id"));
        let Poll::Ready(response) = response.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the echo never waits");
        };
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let method = body["message"].as_str().unwrap().replace('_', "");
        assert_eq!(method, operation.as_str().to_lowercase());
    }
}

/// The table is that of the documentation, so it does not follow the model.
#[test]
fn every_operation_has_its_route() {
    let table = include_str!("../../tests/fixtures/routes.txt");
    let mut met = 0;
    for line in table.lines() {
        let [method, path, name] = *line.split(' ').collect::<Vec<_>>() else {
            panic!("`{line}` is no route");
        };
        let path = path.replace("{resourceArn}", "arn%3Aaws%3Aimagebuilder");
        let found = route::find(&ACTIONS, &method.parse().unwrap(), &path).unwrap();
        assert_eq!(Operation::ALL[found.index].as_str(), name);
        assert_eq!(ACTIONS[found.index].name, name);
        met += 1;
    }
    assert_eq!((met, Operation::ALL.len()), (77, 77));
}

#[test]
fn other_methods_and_paths_are_no_operation() {
    let check = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let refusal = accept(&request).unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code), (404, "UnknownOperationException"));
    };
    for path in ["/", "/CreateComponent/", "/CreateComponent/x", "/createcomponent", "/Create"] {
        check("PUT", path);
    }
    for path in ["/%43reateComponent", "//CreateComponent", "/tags", "/tags/", "/tags/%zz"] {
        check("PUT", path);
        check("GET", path);
    }
    for &operation in Operation::ALL {
        let path = operation.action().path.replace(['{', '}'], "");
        for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
            if method != operation.action().method && !path.starts_with("/tags/") {
                check(method.as_str(), &path);
            }
        }
    }
}
