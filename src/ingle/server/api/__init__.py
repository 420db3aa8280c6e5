"""`/api`: what a person's tools and the pages of Ingle call, described by OpenAPI."""
