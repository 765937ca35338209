"""Every operation of the client for permissions, with right and wrong requests. The client validates what it reads, and whole
bodies are compared."""

import json
import os

import ory_keto_client as keto
import pydantic


def api(name, variable):
    return getattr(keto, name)(keto.ApiClient(keto.Configuration(host=os.environ[variable])))


READ, WRITE, OPL = "KLEIS_PERMISSIONS_READ", "KLEIS_PERMISSIONS_WRITE", "KLEIS_PERMISSIONS_OPL"
checks = api("PermissionApi", READ)
reads = api("RelationshipApi", READ)
writes = api("RelationshipApi", WRITE)
syntax = api("RelationshipApi", OPL)

ADA, BOB, EVE = ({"namespace": "User", "object": name, "relation": ""} for name in ("ada", "bob", "eve"))
GROUP = {"namespace": "Group", "object": "python", "relation": "member"}


def tuple_of(relation, subject, object="python", namespace="Doc"):
    subject = {"subject_id" if isinstance(subject, str) else "subject_set": subject}
    return {"namespace": namespace, "object": object, "relation": relation, **subject}


def parameters(tuple):
    """The keyword arguments of a tuple in a query."""
    members = {name: value for name, value in tuple.items() if name != "subject_set"}
    return members | {f"subject_set_{name}": value for name, value in tuple.get("subject_set", {}).items()}


def body_of(model, tuple):
    return model.from_dict(tuple)


def read(answer, status=200):
    """The body of an answer, which is what the client has read."""
    assert answer.status_code == status, answer
    raw = json.loads(answer.raw_data)
    assert answer.data.to_dict() == raw, (answer.data.to_dict(), raw)
    return raw


def refused(status, reason, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except keto.ApiException as error:
        assert error.status == status, error
        body = json.loads(error.body)["error"]
        members = {"code", "status", "request", "reason", "message"}
        assert members <= set(body) <= members | {"details"}, body
        assert body["code"] == status and reason in body["reason"], body
        assert keto.ErrorGeneric.from_json(error.body).error.message == body["message"]
    else:
        raise AssertionError(f"{call.__name__} is not refused")


def mirrored(allowed, call, *arguments, **named):
    """A check whose status is the answer: "no" is 403, which the client raises."""
    if allowed:
        assert read(call(*arguments, **named)) == {"allowed": True}
        return
    try:
        call(*arguments, **named)
    except keto.exceptions.ForbiddenException as error:
        assert json.loads(error.body) == {"allowed": False}, error
    else:
        raise AssertionError("a denied check is 403")


def patch(*changes):
    body = [keto.RelationshipPatch.from_dict({"action": action, "relation_tuple": tuple}) for action, tuple in changes]
    answer = writes.patch_relationships_with_http_info(relationship_patch=body)
    assert (answer.status_code, answer.raw_data) == (204, b""), answer


def listed(**query):
    answer = read(reads.get_relationships_with_http_info(**query))
    assert answer["next_page_token"] == "", answer
    return answer["relation_tuples"]


def check_writes(ok):
    created = tuple_of("owner", ADA, object="python/ü")
    body = body_of(keto.CreateRelationshipBody, created)
    assert read(writes.create_relationship_with_http_info(create_relationship_body=body), 201) == created
    assert listed(namespace="Doc", object="python/ü") == [created]
    ok("a relationship is created")
    patch(("insert", tuple_of("viewer", GROUP)), ("insert", tuple_of("owner", ADA)), ("insert", tuple_of("viewer", "an id")))
    patch(("insert", tuple_of("member", BOB, namespace="Group")), ("delete", tuple_of("viewer", "nobody")))
    patch(("insert", tuple_of("viewer", "x", object="python 2")), ("delete", tuple_of("viewer", "x", object="python 2")))
    assert listed(namespace="Doc", object="python 2") == []
    ok("relationships are inserted and deleted by a patch")


def check_lists(ok):
    first = read(reads.get_relationships_with_http_info(namespace="Doc", object="python", page_size=2))
    assert len(first["relation_tuples"]) == 2, first
    token = first["next_page_token"]
    rest = listed(namespace="Doc", object="python", page_size=2, page_token=token)
    assert first["relation_tuples"] + rest == listed(namespace="Doc", object="python")
    assert listed(**{f"subject_set_{name}": value for name, value in GROUP.items()}) == [tuple_of("viewer", GROUP)]
    refused(400, "page_token", reads.get_relationships, page_token="x")
    refused(404, 'no namespace "None"', reads.get_relationships, namespace="None")
    ok("relationships are listed by page and by subject set")
    named = read(reads.list_relationship_namespaces_with_http_info())
    assert named == {"namespaces": [{"name": "Doc"}, {"name": "Group"}, {"name": "User"}]}, named
    ok("the namespaces of the model are listed")


def check_checks(ok):
    for subject, allowed in ((ADA, True), (BOB, True), (EVE, False)):
        tuple = tuple_of("view", subject)
        result = {"allowed": allowed}
        assert read(checks.check_permission_with_http_info(**parameters(tuple))) == result
        body = body_of(keto.PostCheckPermissionBody, tuple)
        answer = checks.post_check_permission_with_http_info(max_depth=3, post_check_permission_body=body)
        assert read(answer) == result
        mirrored(allowed, checks.check_permission_or_error_with_http_info, **parameters(tuple))
        body = body_of(keto.PostCheckPermissionOrErrorBody, tuple)
        call = checks.post_check_permission_or_error_with_http_info
        mirrored(allowed, call, post_check_permission_or_error_body=body)
    ok("a check is answered in four ways, and 403 is an answer")
    assert checks.check_permission(**parameters(tuple_of("viewer", "an id")), max_depth=1).allowed
    assert not checks.check_permission(**parameters(tuple_of("r", "a", namespace="None"))).allowed
    ok("a subject id is checked, and an unknown namespace is denied")
    nothing = 'relation "nothing" does not exist'
    refused(400, nothing, checks.check_permission, **parameters(tuple_of("nothing", "a")))
    refused(400, nothing, checks.check_permission_or_error, **parameters(tuple_of("nothing", "a")))
    body = body_of(keto.PostCheckPermissionBody, tuple_of("nothing", "a"))
    refused(400, nothing, checks.post_check_permission, post_check_permission_body=body)
    refused(400, "subject is not allowed to be nil", checks.check_permission, namespace="Doc", object="a", relation="view")
    both = parameters(tuple_of("view", "a")) | {"subject_set_namespace": "User"}
    refused(400, "exactly one of", checks.check_permission, **both)
    refused(422, "cyclic permits", checks.check_permission, **parameters(tuple_of("circle", "a")))
    parent = {"namespace": "Doc", "object": "python", "relation": ""}
    patch(("insert", tuple_of("parent", parent, object="python below")))
    deep = parameters(tuple_of("view", BOB, object="python below"))
    refused(422, "depth limit", checks.check_permission, **deep, max_depth=1)
    ok("wrong checks are refused with a reason")


def check_batches(ok):
    tuples = [tuple_of("view", ADA), tuple_of("view", EVE), tuple_of("nothing", ADA)]
    batch = lambda tuples: keto.BatchCheckPermissionBody.from_dict({"tuples": tuples})
    results = read(checks.batch_check_permission_with_http_info(batch_check_permission_body=batch(tuples)))["results"]
    error = 'relation "nothing" does not exist'
    assert results == [{"allowed": True}, {"allowed": False}, {"allowed": False, "error": error}], results
    refused(400, "batch exceeds max size of 10", checks.batch_check_permission, batch_check_permission_body=batch(tuples * 4))
    ok("a batch has a result for each tuple")


def check_expansions(ok):
    def node(kind, subject, *children):
        node = {"type": kind, "tuple": tuple_of("", subject, object="", namespace="")}
        return node | ({"children": list(children)} if children else {})

    root = {"namespace": "Doc", "object": "python", "relation": "viewer"}
    whole = node("union", root, node("leaf", "an id"), node("union", GROUP, node("leaf", BOB)))
    found = read(checks.expand_permissions_with_http_info(**root))
    assert found == whole, found
    assert read(checks.expand_permissions_with_http_info(**root, max_depth=1)) == node("leaf", root)
    refused(404, 'no namespace "None"', checks.expand_permissions, namespace="None", object="a", relation="viewer")
    ok("a relation is expanded to a tree")


def check_refused_writes(ok):
    def create(tuple):
        return writes.create_relationship(create_relationship_body=body_of(keto.CreateRelationshipBody, tuple))

    refused(400, "subject_id or subject_set is required", create, {"namespace": "Doc", "object": "a", "relation": "owner"})
    refused(400, 'is not a type that "owner" of Doc accepts', create, tuple_of("owner", GROUP))
    refused(404, 'no namespace "None"', create, tuple_of("owner", "a", namespace="None"))
    refused(400, "", writes.patch_relationships, relationship_patch=[keto.RelationshipPatch()])
    refused(400, "namespace: is required", writes.delete_relationships)
    try:
        keto.RelationshipPatch(action="upsert")
    except pydantic.ValidationError:
        pass
    else:
        raise AssertionError("the client sends an unknown action")
    ok("wrong writes are refused with a reason")


def check_syntax(ok):
    text = 'class Doc implements Namespace { related: { viewer: SubjectSet<Group, "member">[] } }'
    errors = read(syntax.check_opl_syntax_with_http_info(body=text))["errors"]
    # An addition: what to do.
    assert errors[0].pop("help"), errors
    place = lambda column: {"Line": 1, "column": column}
    message = 'namespace "Group" was not declared'
    assert errors == [{"message": message, "start": place(63), "end": place(68)}], errors
    text += " class Group implements Namespace { related: { member: Group[] } }"
    assert read(syntax.check_opl_syntax_with_http_info(body=text)) == {}
    ok("a model is checked, with the places of its errors")


def check_metadata(ok):
    for variable in (READ, WRITE, OPL):
        metadata = api("MetadataApi", variable)
        assert read(metadata.is_alive_with_http_info()) == {"status": "ok"}
        assert read(metadata.is_ready_with_http_info()) == {"status": "ok"}
        assert read(metadata.get_version_with_http_info())["version"]
    ok("every listener has its health and its version")


def check_deletions(ok):
    queries = [{"namespace": "Doc", "object": object} for object in ("python", "python/ü")]
    for query in queries + [parameters(tuple_of("member", BOB, namespace="Group"))]:
        for _ in range(2):
            answer = writes.delete_relationships_with_http_info(**query)
            assert (answer.status_code, answer.raw_data) == (204, b""), answer
        assert listed(**query) == []
    ok("relationships are deleted by query")


def check(ok):
    check_writes(ok)
    check_lists(ok)
    check_checks(ok)
    check_batches(ok)
    check_expansions(ok)
    check_refused_writes(ok)
    check_syntax(ok)
    check_metadata(ok)
    check_deletions(ok)
