"""The estate as code: read, check against its schema and the laws, report."""
