resource "aws_lambda_function" "forwarder" {
  # checkov:skip=CKV_AWS_116: what fails stays in the queue, which has a queue of its own for what fails for good
  # checkov:skip=CKV_AWS_173: nothing in its environment is secret
  # checkov:skip=CKV_AWS_272: who signs code has a signing profile to add here
  function_name    = "${var.name}-forwarder"
  description      = "Produces events of AWS to the changes topic of Rooftree"
  role             = aws_iam_role.forwarder.arn
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "forwarder.handler"
  runtime          = "python3.12"
  architectures    = ["arm64"]
  memory_size      = 256
  timeout          = local.timeout_seconds
  tags             = var.tags

  # Two are enough for any organization, and leave the account's concurrency to others.
  reserved_concurrent_executions = 2

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  environment {
    variables = {
      KAFKA_BOOTSTRAP  = var.kafka_bootstrap
      KAFKA_TOPIC      = var.kafka_topic
      KAFKA_IAM_REGION = split(":", var.kafka_cluster_arn)[3]
      ORGANIZATION_ID  = var.organization_id
    }
  }

  tracing_config {
    mode = "PassThrough"
  }

  depends_on = [aws_iam_role_policy.forwarder, aws_cloudwatch_log_group.forwarder]
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn                   = aws_sqs_queue.changes.arn
  function_name                      = aws_lambda_function.forwarder.arn
  batch_size                         = 100
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}

resource "aws_cloudwatch_log_group" "forwarder" {
  # checkov:skip=CKV_AWS_158: it says which messages were not produced, and nothing of what is in them
  name              = "/aws/lambda/${var.name}-forwarder"
  retention_in_days = 365
  tags              = var.tags
}

resource "aws_iam_role" "forwarder" {
  name               = "${var.name}-forwarder"
  assume_role_policy = data.aws_iam_policy_document.forwarder_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "forwarder_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "forwarder" {
  name   = "queue-to-kafka"
  role   = aws_iam_role.forwarder.id
  policy = data.aws_iam_policy_document.forwarder.json
}

data "aws_iam_policy_document" "forwarder" {
  # checkov:skip=CKV_AWS_111: the actions on network interfaces know no narrower resource
  statement {
    sid       = "Take"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.changes.arn]
  }

  statement {
    sid       = "Connect"
    actions   = ["kafka-cluster:Connect"]
    resources = [var.kafka_cluster_arn]
  }

  statement {
    sid       = "Produce"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
    resources = [local.topic_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.forwarder.arn}:*"]
  }

  # Network interfaces are made for the function by the service; these actions know no narrower resource.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  statement {
    sid = "JoinTheNetwork"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]
  }

  # The function itself needs none of them.
  statement {
    sid       = "NotByItself"
    effect    = "Deny"
    actions   = ["ec2:*NetworkInterface*", "ec2:*PrivateIpAddresses"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values = [
        "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:function:${var.name}-forwarder",
      ]
    }
  }
}
