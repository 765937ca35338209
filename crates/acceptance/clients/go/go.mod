module conformance

go 1.26.0

require (
	github.com/ory/client-go v1.22.92
	github.com/ory/keto-client-go v0.11.0-alpha.0
)

require golang.org/x/oauth2 v0.37.0 // indirect
