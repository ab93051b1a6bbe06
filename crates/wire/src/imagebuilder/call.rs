//! The way of a request: routed, read, validated, dispatched and answered.
//!
//! Who calls and whether they may was decided before.

use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::imagebuilder::error::Error;
use crate::imagebuilder::generated::operations::ACTIONS;
use crate::imagebuilder::{ErrorKind, ImageBuilder, Operation, dispatch};
use crate::rest_json::{self, Refusal};
use crate::route::{self, Action};
use crate::validate::check_output;

/// What a dispatched operation answers, once it is done.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// A valid request.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// The operation's input, wherever in the request its members were.
    pub input: Value,
}

impl Operation {
    /// Returns how this operation is requested and answered.
    pub fn action(self) -> &'static Action {
        &ACTIONS[self as usize]
    }
}

/// Returns the operation that a method and a path mean, whatever else is in the request.
pub fn find(method: &Method, path: &str) -> Option<Operation> {
    route::find(&ACTIONS, method, path).map(|found| Operation::ALL[found.index])
}

/// Returns what `request` asks for, if it breaks no constraint of the model.
///
/// # Errors
/// Refuses unknown operations, and requests with all that is invalid in them.
pub fn accept(request: &Request<Bytes>) -> Result<Call, Refusal> {
    let (method, uri) = (request.method(), request.uri());
    let found = route::find(&ACTIONS, method, uri.path()).ok_or_else(|| Refusal {
        status: StatusCode::NOT_FOUND,
        code: "UnknownOperationException",
        message: "No operation has this method and path.".to_owned(),
    })?;
    let operation = Operation::ALL[found.index];
    let query = uri.query().unwrap_or_default();
    let input = rest_json::read(operation.action(), found.label, query, request.body())
        .map_err(|error| Error::new(operation.invalid(), error.to_string()))?;
    Ok(Call { operation, input })
}

/// Returns the response of `service` to `request`, which is called `request_id`.
pub async fn answer<C: Sync, S: ImageBuilder<C>>(
    service: &S,
    caller: &C,
    request: &Request<Bytes>,
    request_id: &str,
) -> Response<Bytes> {
    let call = match accept(request) {
        Ok(call) => call,
        Err(refusal) => return refusal.response(request_id),
    };
    match dispatch(service, caller, call.operation, call.input).await {
        Ok(output) => rest_json::success(call.operation.action(), output, request_id),
        Err(error) => Refusal::from(error).response(request_id),
    }
}

/// Calls `method` with the typed input and returns its output as JSON.
pub(crate) async fn run<I, O, F>(
    operation: Operation,
    input: Value,
    method: impl FnOnce(I) -> F,
) -> Result<Value, Error>
where
    I: DeserializeOwned,
    O: Serialize,
    F: Future<Output = Result<O, Error>>,
{
    // Validation lets nothing through that the type cannot hold, so this is
    // seen by those only who dispatch what they did not validate.
    let input = serde_json::from_value(input)
        .map_err(|error| Error::new(operation.invalid(), error.to_string()))?;
    let output = method(input).await.inspect_err(|error| {
        debug_assert!(operation.may_answer(error.kind), "{operation} may not answer {error}");
    })?;
    let output = serde_json::to_value(output)
        .map_err(|error| Error::new(ErrorKind::Service, error.to_string()))?;
    if cfg!(debug_assertions) {
        let problems = check_output(operation.action().output, &output);
        assert!(problems.is_empty(), "{operation} answers what it must not: {problems}");
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use expect_test::{Expect, expect};
    use http::{Request, Response};
    use serde_json::{Value, json};

    use super::run;
    use crate::imagebuilder::{Error, ErrorKind, GetImageResponse, ListImagesRequest, Operation};
    use crate::rest_json::{Refusal, success};

    #[track_caller]
    fn check(line: &str, body: &str, expect: Expect) {
        let (method, uri) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let told = match super::accept(&request) {
            Ok(call) => format!("{} {}", call.operation, call.input),
            Err(refusal) => format!("{} {refusal}", refusal.status.as_u16()),
        };
        expect.assert_eq(&told);
    }

    #[test]
    fn members_come_from_path_query_and_body() {
        let arn = "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web";
        let encoded = "arn%3Aaws%3Aimagebuilder%3Aeu-west-1%3A123456789012%3Aimage-pipeline%2fweb";
        check(
            &format!("DELETE /tags/{encoded}?tagKeys=a%20b&tagKeys=c%2Bd+e&X-Amz-Date=1&"),
            "",
            expect![[
                r#"UntagResource {"resourceArn":"arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web","tagKeys":["a b","c+d e"]}"#
            ]],
        );
        check(
            &format!("POST /tags/{arn}"),
            r#"{"tags":{"k":"v"}}"#,
            expect![[
                r#"TagResource {"tags":{"k":"v"},"resourceArn":"arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web"}"#
            ]],
        );
        check("POST /ListImages", "", expect!["ListImages {}"]);
        check(
            "POST /ListImages",
            r#"{"owner":null,"maxResults":100}"#,
            expect![[r#"ListImages {"owner":null,"maxResults":100}"#]],
        );
    }

    #[test]
    fn all_that_is_invalid_is_told_at_once() {
        check(
            "PUT /CreateWorkflow",
            r#"{"name":"hello","semanticVersion":"1.0","type":"BUILD","clientToken":"t"}"#,
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'semanticVersion' is not valid. semanticVersion must match pattern ^[0-9]+\\.[0-9]+\\.[0-9]+$"
            ],
        );
        check(
            "PUT /CreateComponent",
            r#"{"name":7,"platform":"linux","tags":{"aws:x":"v"},"dryrun":true,"clientToken":""}"#,
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'clientToken' is not valid. clientToken must have length greater than or equal to 1; The value supplied for parameter 'name' is not valid. name must be a string; The value supplied for parameter 'platform' is not valid. platform must satisfy enum value set: [Windows, Linux, macOS]; The value supplied for parameter 'semanticVersion' is not valid. semanticVersion must not be null; The value supplied for parameter 'tags[\"aws:x\"]' is not valid. tags[\"aws:x\"] has a key that must match pattern ^(?!aws:)[a-zA-Z0-9\\s_.:/=+\\-@]*$; The value supplied for parameter 'dryrun' is not valid. dryrun is not a member of CreateComponentRequest"
            ],
        );
        check(
            "PUT /CreateDistributionConfiguration",
            r#"{"name":"hello","clientToken":"t","distributions":[{"region":"r","amiDistributionConfiguration":{"targetAccountIds":[]}},{}]}"#,
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'distributions[0].amiDistributionConfiguration.targetAccountIds' is not valid. distributions[0].amiDistributionConfiguration.targetAccountIds must have length greater than or equal to 1; The value supplied for parameter 'distributions[1].region' is not valid. distributions[1].region must not be null"
            ],
        );
        check(
            "GET /GetImage",
            "",
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'imageBuildVersionArn' is not valid. imageBuildVersionArn must not be null"
            ],
        );
        check(
            "POST /ListImages",
            r#"{"maxResults":101}"#,
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'maxResults' is not valid. maxResults must have value less than or equal to 100"
            ],
        );
    }

    #[test]
    fn members_stay_where_they_belong() {
        let arn = "arn:aws:imagebuilder:eu-west-1:123456789012:lifecycle-policy/web";
        check(
            &format!("GET /GetLifecyclePolicy?lifecyclePolicyArn={arn}"),
            &format!(r#"{{"lifecyclePolicyArn":"{arn}"}}"#),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'lifecyclePolicyArn' is not valid. lifecyclePolicyArn does not belong in the body"
            ],
        );
        check(
            &format!("GET /GetLifecyclePolicy?lifecyclePolicyArn={arn}&lifecyclePolicyArn={arn}"),
            "",
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'lifecyclePolicyArn' is not valid. lifecyclePolicyArn must be given once"
            ],
        );
    }

    #[test]
    fn regions_are_named_freely() {
        for request in [
            "/GetLifecyclePolicy?lifecyclePolicyArn=arn:aws:imagebuilder:local-1:123456789012:\
             lifecycle-policy/web",
            "/GetWorkflow?workflowBuildVersionArn=arn:aws:imagebuilder:home:aws:\
             workflow/build/build-image/x.x.x",
        ] {
            let request = Request::get(request).body(Bytes::new()).unwrap();
            assert!(super::accept(&request).is_ok(), "{}", request.uri());
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        check(
            "POST /ListImages",
            "[]",
            expect!["400 InvalidRequestException: The request body must be a JSON object"],
        );
        check(
            "POST /ListImages",
            "{",
            expect![
                "400 InvalidRequestException: The request body is not valid JSON: EOF while parsing an object at line 1 column 1"
            ],
        );
        check(
            "POST /ListImages?a=%C3",
            "",
            expect![
                "400 InvalidRequestException: The query string is not valid percent-encoded UTF-8"
            ],
        );
        check(
            "PUT /ImportVmImage",
            "[]",
            expect!["400 ClientException: The request body must be a JSON object"],
        );
    }

    #[test]
    fn a_message_tells_twenty_problems_at_most() {
        let members: Vec<String> = (0..25).map(|at| format!("\"m{at}\":1")).collect();
        let request = Request::post("/ListImages");
        let request = request.body(Bytes::from(format!("{{{}}}", members.join(",")))).unwrap();
        let message = super::accept(&request).unwrap_err().message;
        assert!(
            message.ends_with("m19 is not a member of ListImagesRequest; and 5 more"),
            "{message}"
        );
    }

    fn text(response: &Response<Bytes>) -> String {
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        let body = str::from_utf8(response.body()).unwrap();
        format!("{}\n{}{body}\n", response.status().as_u16(), headers.collect::<String>())
    }

    #[test]
    fn errors_have_their_status_type_and_message() {
        let error = Error::new(ErrorKind::DryRunOperation, "Request would have succeeded");
        expect![[r#"
            412
            content-type: application/json
            x-amzn-requestid: 3f0a
            x-amzn-errortype: DryRunOperationException
            {"message":"Request would have succeeded"}
        "#]]
        .assert_eq(&text(&Refusal::from(error).response("3f0a")));
    }

    #[test]
    fn answers_repeat_the_id_where_the_model_says_so() {
        let repeats = success(Operation::GetImage.action(), json!({}), "3f0a");
        expect![[r#"
            200
            content-type: application/json
            x-amzn-requestid: 3f0a
            {"requestId":"3f0a"}
        "#]]
        .assert_eq(&text(&repeats));
        let silent = success(Operation::TagResource.action(), json!({}), "3f0a");
        expect![[r#"
            200
            content-type: application/json
            x-amzn-requestid: 3f0a
            {}
        "#]]
        .assert_eq(&text(&silent));
    }

    fn call<F>(
        operation: Operation,
        input: Value,
        method: impl FnOnce(ListImagesRequest) -> F,
    ) -> Result<Value, Error>
    where
        F: Future<Output = Result<GetImageResponse, Error>>,
    {
        let running = pin!(run(operation, input, method));
        match running.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("the method never waits"),
        }
    }

    #[test]
    fn methods_take_and_give_types() {
        let answer = call(Operation::GetImage, json!({"maxResults": 3}), async |input| {
            assert_eq!(input.max_results, Some(3));
            Ok(GetImageResponse::default())
        });
        assert_eq!(answer, Ok(json!({})));
        let refused = call(Operation::GetImage, json!({"maxResults": "3"}), async |_| {
            panic!("the input has another shape")
        });
        assert_eq!(refused.unwrap_err().kind, ErrorKind::InvalidRequest);
    }

    #[test]
    #[should_panic(expected = "GetImage may not answer ResourceDependencyException")]
    fn an_error_the_operation_does_not_declare_is_a_bug() {
        let _ = call(Operation::GetImage, json!({}), async |_| {
            Err(Error::new(ErrorKind::ResourceDependency, "used"))
        });
    }

    #[test]
    #[should_panic(expected = "requestId must have length greater than or equal to 1")]
    fn an_answer_that_breaks_the_model_is_a_bug() {
        let _ = call(Operation::GetImage, json!({}), async |_| {
            Ok(GetImageResponse { request_id: Some(String::new()), ..Default::default() })
        });
    }
}
