"""The AWS CLI and boto3, unmodified, against `goldsmith serve`."""
