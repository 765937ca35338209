use super::*;
use crate::domain::ui_node::Node;

fn login(flow_type: FlowType, csrf: Option<&CsrfSecret>) -> Flow<Login> {
    let rng = Rng::seeded(1);
    let beginning = Beginning {
        flow_type,
        request_url: "https://id.example/self-service/login/browser?return_to=%2Fhome",
        lifespan: Duration::from_mins(1),
        public_url: &Url::parse("https://id.example/auth/").unwrap(),
        csrf,
    };
    let details = Login {
        requested_aal: Aal::Aal1,
        refresh: false,
        identity_schema: None,
        oauth2: None,
        expected_identity: None,
        code_identifier: None,
    };
    let mut flow = Flow::begin(&beginning, details, &rng, Timestamp::EPOCH);
    flow.ui.nodes.append(Node::csrf());
    flow
}

#[test]
fn a_flow_survives_storage() {
    let flow = login(FlowType::Api, None);
    let text = serde_json::to_string(&flow).unwrap();
    let read = serde_json::from_str::<Flow<Login>>(&text).unwrap();
    assert_eq!(Flow { version: flow.version, ..read }, flow, "the version is stored in a separate column");
}

#[test]
fn a_page_url_contains_the_flow_once() {
    let id = FlowId::from_uuid(uuid::Uuid::nil());
    let page = Url::parse("https://ui.example/login?x=1&flow=old").unwrap();
    assert_eq!(with_flow(&page, id), format!("https://ui.example/login?x=1&flow={id}"));
}
