package authzen

import "partneraccess/shared/rawjson"

// Metadata is the discovery document (section 9 of the standard) of a service at that URL, which has no slash at the end.
// It names no capabilities: none is registered, and a parameter without values is left out (section 9.2.2).
func Metadata(baseURL string) []byte {
	b := append([]byte(nil), `{"policy_decision_point":`...)
	b = rawjson.AppendString(b, baseURL)
	for _, e := range [...][2]string{
		{"access_evaluation_endpoint", "/access/v1/evaluation"},
		{"access_evaluations_endpoint", "/access/v1/evaluations"},
		{"search_subject_endpoint", "/access/v1/search/subject"},
		{"search_resource_endpoint", "/access/v1/search/resource"},
		{"search_action_endpoint", "/access/v1/search/action"},
	} {
		b = append(b, ',')
		b = rawjson.AppendString(b, e[0])
		b = append(b, ':')
		b = rawjson.AppendString(b, baseURL+e[1])
	}
	return append(b, '}')
}
