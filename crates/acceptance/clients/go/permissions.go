// Every operation of the client for permissions, with right and wrong requests. Its last release is older than the check of a
// batch, which the client for all services has. Answers are decoded a second time, and a member that the client does not know fails.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"strings"

	ory "github.com/ory/client-go"
	keto "github.com/ory/keto-client-go"
)

func ketoAt(variable string) *keto.APIClient {
	configuration := keto.NewConfiguration()
	configuration.Servers = keto.ServerConfigurations{{URL: os.Getenv(variable)}}
	return keto.NewAPIClient(configuration)
}

var (
	permissionChecks = ketoAt("KLEIS_PERMISSIONS_READ").PermissionApi
	relationReads    = ketoAt("KLEIS_PERMISSIONS_READ").RelationshipApi
	relationWrites   = ketoAt("KLEIS_PERMISSIONS_WRITE").RelationshipApi
	modelChecks      = ketoAt("KLEIS_PERMISSIONS_OPL").RelationshipApi
)

func fail(what string) {
	log.Output(3, what)
	os.Exit(1)
}

// The body of the answer, decoded into a value of the client with nothing left over.
func decoded[T any](answer *http.Response) T {
	var value T
	text, err := io.ReadAll(answer.Body)
	check(err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		fail(fmt.Sprintf("%v: %s", err, text))
	}
	return value
}

// A call that succeeds with a status and a value, and whose body is that value.
func answered[T any](status int, expected T, value *T, answer *http.Response, err error) {
	if err != nil {
		fail(err.Error())
	}
	body := decoded[T](answer)
	if answer.StatusCode != status || !reflect.DeepEqual(*value, body) || !reflect.DeepEqual(body, expected) {
		found, _ := json.Marshal(body)
		fail(fmt.Sprintf("%d: %s", answer.StatusCode, found))
	}
}

// A call that is refused with a status and a reason, in the form of the client.
func refused(status int, reason string, answer *http.Response, err error) {
	if err == nil || answer == nil {
		fail(fmt.Sprintf("not refused: %v", err))
	}
	refusal := decoded[keto.ErrorGeneric](answer).Error
	if answer.StatusCode != status || refusal.GetCode() != int64(status) || !strings.Contains(refusal.GetReason(), reason) {
		fail(fmt.Sprintf("%d: %s", answer.StatusCode, refusal.GetReason()))
	}
	if refusal.GetMessage() == "" || refusal.GetStatus() == "" || refusal.GetRequest() == "" {
		fail("the error lacks a member")
	}
}

// A check whose status is the answer: "no" is 403, which the client returns as an error.
func mirrored(allowed bool, result *keto.CheckPermissionResult, answer *http.Response, err error) {
	expected := keto.CheckPermissionResult{Allowed: allowed}
	if allowed {
		answered(200, expected, result, answer, err)
		return
	}
	failure, is := err.(*keto.GenericOpenAPIError)
	if !is || answer.StatusCode != 403 || failure.Model() != expected || decoded[keto.CheckPermissionResult](answer) != expected {
		fail(fmt.Sprintf("not denied: %v", err))
	}
}

func user(name string) *keto.SubjectSet {
	return &keto.SubjectSet{Namespace: "User", Object: name}
}

var group = &keto.SubjectSet{Namespace: "Group", Object: "go", Relation: "member"}

func relationship(object, relation string, set *keto.SubjectSet) keto.Relationship {
	return keto.Relationship{Namespace: "Doc", Object: object, Relation: relation, SubjectSet: set}
}

func ofId(object, id string) keto.Relationship {
	return keto.Relationship{Namespace: "Doc", Object: object, Relation: "viewer", SubjectId: &id}
}

func patch(action string, relationships ...keto.Relationship) {
	var patches []keto.RelationshipPatch
	for index := range relationships {
		patches = append(patches, keto.RelationshipPatch{Action: &action, RelationTuple: &relationships[index]})
	}
	answer, err := relationWrites.PatchRelationships(ctx).RelationshipPatch(patches).Execute()
	check(err)
	if answer.StatusCode != 204 {
		fail(answer.Status)
	}
}

func list(object string) []keto.Relationship {
	page, answer, err := relationReads.GetRelationships(ctx).Namespace("Doc").Object(object).Execute()
	check(err)
	body := decoded[keto.Relationships](answer)
	if !reflect.DeepEqual(body, *page) || page.NextPageToken == nil || *page.NextPageToken != "" {
		fail("not the whole list")
	}
	return page.RelationTuples
}

func writeRelationships() {
	created := relationship("go/ü", "owner", user("ada"))
	body := keto.CreateRelationshipBody{
		Namespace: &created.Namespace, Object: &created.Object, Relation: &created.Relation, SubjectSet: created.SubjectSet,
	}
	echo, answer, err := relationWrites.CreateRelationship(ctx).CreateRelationshipBody(body).Execute()
	answered(201, created, echo, answer, err)
	ensure(reflect.DeepEqual(list("go/ü"), []keto.Relationship{created}), "a relationship is created")
	patch("insert", relationship("go", "viewer", group), relationship("go", "owner", user("ada")), ofId("go", "an id"), ofId("go 2", "x"))
	member := relationship("go", "member", user("bob"))
	member.Namespace = "Group"
	patch("insert", member)
	patch("delete", ofId("go 2", "x"), ofId("go", "nobody"))
	ensure(len(list("go 2")) == 0, "relationships are inserted and deleted by a patch")
}

func listRelationships() {
	request := relationReads.GetRelationships(ctx).Namespace("Doc").Object("go").PageSize(2)
	first, _, err := request.Execute()
	check(err)
	second, _, err := request.PageToken(first.GetNextPageToken()).Execute()
	check(err)
	both := append(first.RelationTuples, second.RelationTuples...)
	if len(first.RelationTuples) != 2 || second.GetNextPageToken() != "" || !reflect.DeepEqual(both, list("go")) {
		fail("the pages are not the list")
	}
	empty := ""
	of := relationReads.GetRelationships(ctx).SubjectSetNamespace("Group").SubjectSetObject("go").SubjectSetRelation("member")
	found, answer, err := of.Execute()
	expected := keto.Relationships{NextPageToken: &empty, RelationTuples: []keto.Relationship{relationship("go", "viewer", group)}}
	answered(200, expected, found, answer, err)
	_, answer, err = relationReads.GetRelationships(ctx).PageToken("x").Execute()
	refused(400, "page_token", answer, err)
	_, answer, err = relationReads.GetRelationships(ctx).Namespace("None").Execute()
	refused(404, "no namespace \"None\"", answer, err)
	ensure(true, "relationships are listed by page and by subject set")
	doc, group, user := "Doc", "Group", "User"
	named := keto.RelationshipNamespaces{Namespaces: []keto.Namespace{{Name: &doc}, {Name: &group}, {Name: &user}}}
	namespaces, answer, err := relationReads.ListRelationshipNamespaces(ctx).Execute()
	answered(200, named, namespaces, answer, err)
	ensure(true, "the namespaces of the model are listed")
}

func query(relation, name string) keto.PermissionApiCheckPermissionRequest {
	request := permissionChecks.CheckPermission(ctx).Namespace("Doc").Object("go").Relation(relation)
	return request.SubjectSetNamespace("User").SubjectSetObject(name).SubjectSetRelation("")
}

func checkRelations() {
	doc, object, view := "Doc", "go", "view"
	for name, allowed := range map[string]bool{"ada": true, "bob": true, "eve": false} {
		expected := keto.CheckPermissionResult{Allowed: allowed}
		result, answer, err := query(view, name).Execute()
		answered(200, expected, result, answer, err)
		body := keto.PostCheckPermissionBody{Namespace: &doc, Object: &object, Relation: &view, SubjectSet: user(name)}
		result, answer, err = permissionChecks.PostCheckPermission(ctx).MaxDepth(3).PostCheckPermissionBody(body).Execute()
		answered(200, expected, result, answer, err)
		orError := permissionChecks.CheckPermissionOrError(ctx).Namespace(doc).Object(object).Relation(view)
		result, answer, err = orError.SubjectSetNamespace("User").SubjectSetObject(name).SubjectSetRelation("").Execute()
		mirrored(allowed, result, answer, err)
		post := keto.PostCheckPermissionOrErrorBody{Namespace: &doc, Object: &object, Relation: &view, SubjectSet: user(name)}
		result, answer, err = permissionChecks.PostCheckPermissionOrError(ctx).PostCheckPermissionOrErrorBody(post).Execute()
		mirrored(allowed, result, answer, err)
	}
	ensure(true, "a check is answered in four ways, and 403 is an answer")
	ofId := func(namespace, relation string) keto.PermissionApiCheckPermissionRequest {
		return permissionChecks.CheckPermission(ctx).Namespace(namespace).Object(object).Relation(relation).SubjectId("an id")
	}
	result, answer, err := ofId(doc, "viewer").MaxDepth(1).Execute()
	answered(200, keto.CheckPermissionResult{Allowed: true}, result, answer, err)
	result, answer, err = ofId("None", "viewer").Execute()
	answered(200, keto.CheckPermissionResult{Allowed: false}, result, answer, err)
	ensure(true, "a subject id is checked, and an unknown namespace is denied")
	_, answer, err = query("nothing", "ada").Execute()
	refused(400, "relation \"nothing\" does not exist", answer, err)
	_, answer, err = permissionChecks.CheckPermission(ctx).Namespace(doc).Object(object).Relation(view).Execute()
	refused(400, "subject is not allowed to be nil", answer, err)
	_, answer, err = query(view, "ada").SubjectId("a").Execute()
	refused(400, "exactly one of", answer, err)
	_, answer, err = query("circle", "ada").Execute()
	refused(422, "cyclic permits", answer, err)
	patch("insert", relationship("go below", "parent", &keto.SubjectSet{Namespace: doc, Object: object}))
	_, answer, err = query(view, "bob").Object("go below").MaxDepth(1).Execute()
	refused(422, "depth limit", answer, err)
	nothing := "nothing"
	body := keto.PostCheckPermissionBody{Namespace: &doc, Object: &object, Relation: &nothing, SubjectSet: user("ada")}
	_, answer, err = permissionChecks.PostCheckPermission(ctx).PostCheckPermissionBody(body).Execute()
	refused(400, "relation \"nothing\" does not exist", answer, err)
	ensure(true, "wrong checks are refused with a reason")
}

func checkBatch() {
	batches := client("KLEIS_PERMISSIONS_READ").PermissionAPI
	tuple := func(relation, name string) ory.Relationship {
		subject := ory.NewSubjectSet("User", name, "")
		return ory.Relationship{Namespace: "Doc", Object: "go", Relation: relation, SubjectSet: subject}
	}
	tuples := []ory.Relationship{tuple("view", "ada"), tuple("view", "eve"), tuple("nothing", "ada")}
	reason := "relation \"nothing\" does not exist"
	expected := []ory.CheckPermissionResultWithError{{Allowed: true}, {Allowed: false}, {Allowed: false, Error: &reason}}
	body := ory.BatchCheckPermissionBody{Tuples: tuples}
	found, answer, err := batches.BatchCheckPermission(ctx).BatchCheckPermissionBody(body).Execute()
	check(err)
	// This client keeps members that it does not know.
	for index, result := range found.Results {
		if len(result.AdditionalProperties) > 0 {
			fail("an unknown member")
		}
		found.Results[index].AdditionalProperties = nil
	}
	ensure(answer.StatusCode == 200 && reflect.DeepEqual(found.Results, expected), "a batch has a result for each tuple")
	eleven := ory.BatchCheckPermissionBody{}
	for range 11 {
		eleven.Tuples = append(eleven.Tuples, tuples[0])
	}
	_, answer, err = batches.BatchCheckPermission(ctx).BatchCheckPermissionBody(eleven).Execute()
	refused(400, "batch exceeds max size of 10", answer, err)
	ensure(true, "a batch that is too large is refused")
}

func expandRelation() {
	node := func(kind string, set *keto.SubjectSet, id *string, children ...keto.ExpandedPermissionTree) keto.ExpandedPermissionTree {
		return keto.ExpandedPermissionTree{Type: kind, Tuple: &keto.Relationship{SubjectSet: set, SubjectId: id}, Children: children}
	}
	id, root := "an id", &keto.SubjectSet{Namespace: "Doc", Object: "go", Relation: "viewer"}
	members := node("union", group, nil, node("leaf", user("bob"), nil))
	request := permissionChecks.ExpandPermissions(ctx).Namespace("Doc").Object("go").Relation("viewer")
	tree, answer, err := request.Execute()
	answered(200, node("union", root, nil, node("leaf", nil, &id), members), tree, answer, err)
	tree, answer, err = request.MaxDepth(1).Execute()
	answered(200, node("leaf", root, nil), tree, answer, err)
	_, answer, err = request.Namespace("None").Execute()
	refused(404, "no namespace \"None\"", answer, err)
	ensure(true, "a relation is expanded to a tree")
}

func refusedWrites() {
	doc, none, object, owner, id := "Doc", "None", "go", "owner", "a"
	create := func(namespace *string, set *keto.SubjectSet, id *string) (*http.Response, error) {
		body := keto.CreateRelationshipBody{Namespace: namespace, Object: &object, Relation: &owner, SubjectSet: set, SubjectId: id}
		_, answer, err := relationWrites.CreateRelationship(ctx).CreateRelationshipBody(body).Execute()
		return answer, err
	}
	answer, err := create(&doc, nil, nil)
	refused(400, "subject_id or subject_set is required", answer, err)
	answer, err = create(&doc, group, nil)
	refused(400, "is not a type that \"owner\" of Doc accepts", answer, err)
	answer, err = create(&none, nil, &id)
	refused(404, "no namespace \"None\"", answer, err)
	upsert, tuple := "upsert", relationship("go", "owner", user("ada"))
	patches := []keto.RelationshipPatch{{Action: &upsert, RelationTuple: &tuple}}
	answer, err = relationWrites.PatchRelationships(ctx).RelationshipPatch(patches).Execute()
	refused(400, "action", answer, err)
	answer, err = relationWrites.DeleteRelationships(ctx).Object("go").Execute()
	refused(400, "namespace: is required", answer, err)
	ensure(len(list("go")) == 3, "wrong writes are refused with a reason")
}

func checkModel() {
	text := "class Doc implements Namespace { related: { viewer: SubjectSet<Group, \"member\">[] } }"
	found, _, err := modelChecks.CheckOplSyntax(ctx).Body(text).Execute()
	check(err)
	place := func(column int64) *keto.SourcePosition {
		line := int64(1)
		return &keto.SourcePosition{Line: &line, Column: &column}
	}
	message := "namespace \"Group\" was not declared"
	expected := []keto.ParseError{{Message: &message, Start: place(63), End: place(68)}}
	ensure(reflect.DeepEqual(found.Errors, expected), "the errors of a model have places")
	text += " class Group implements Namespace { related: { member: Group[] } }"
	found, answer, err := modelChecks.CheckOplSyntax(ctx).Body(text).Execute()
	answered(200, keto.CheckOplSyntaxResult{}, found, answer, err)
	ensure(true, "a model without errors has none")
}

func checkMetadata() {
	for _, variable := range []string{"KLEIS_PERMISSIONS_READ", "KLEIS_PERMISSIONS_WRITE", "KLEIS_PERMISSIONS_OPL"} {
		metadata := ketoAt(variable).MetadataApi
		alive, answer, err := metadata.IsAlive(ctx).Execute()
		answered(200, keto.IsAlive200Response{Status: "ok"}, alive, answer, err)
		ready, answer, err := metadata.IsReady(ctx).Execute()
		answered(200, keto.IsAlive200Response{Status: "ok"}, ready, answer, err)
		version, answer, err := metadata.GetVersion(ctx).Execute()
		answered(200, *version, version, answer, err)
		if version.Version == "" {
			fail("no version")
		}
	}
	ensure(true, "every listener has its health and its version")
}

func deleteRelationships() {
	for _, object := range []string{"go", "go/ü"} {
		for range 2 {
			answer, err := relationWrites.DeleteRelationships(ctx).Namespace("Doc").Object(object).Execute()
			check(err)
			if answer.StatusCode != 204 {
				fail(answer.Status)
			}
		}
	}
	member := relationWrites.DeleteRelationships(ctx).Namespace("Group").Object("go").Relation("member")
	_, err := member.SubjectSetNamespace("User").SubjectSetObject("bob").SubjectSetRelation("").Execute()
	check(err)
	ensure(len(list("go"))+len(list("go/ü")) == 0, "relationships are deleted by query")
}

func checkPermissions() {
	writeRelationships()
	listRelationships()
	checkRelations()
	checkBatch()
	expandRelation()
	refusedWrites()
	checkModel()
	checkMetadata()
	deleteRelationships()
}
