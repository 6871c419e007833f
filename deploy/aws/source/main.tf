# What one account sends on: its own events, from its default bus to that of the collector.
#
# AWS Organizations, IAM and AWS Account Management are global services, and CloudTrail delivers their events in
# us-east-1 alone (cn-northwest-1 in China): apply this there, whatever region the rest is in. A trail that logs
# management events has to exist in the account, or for its organization.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  vendor = data.aws_partition.current.partition == "aws-cn" ? "Amazon" : "AWS"
}

# Both kinds: results of what was asked for, such as a new account, come as events of the service.
resource "aws_cloudwatch_event_rule" "changes" {
  name        = var.name
  description = "What changes organizations and principals, for Rooftree"
  tags        = var.tags

  event_pattern = jsonencode({
    source = [for service in sort(tolist(var.services)) : "aws.${service}"]
    detail-type = [
      "${local.vendor} API Call via CloudTrail",
      "${local.vendor} Service Event via CloudTrail",
    ]
    detail = {
      eventSource = [for service in sort(tolist(var.services)) : "${service}.amazonaws.com"]
    }
  })
}

resource "aws_cloudwatch_event_target" "collector" {
  rule     = aws_cloudwatch_event_rule.changes.name
  arn      = var.event_bus_arn
  role_arn = aws_iam_role.sender.arn

  # EventBridge tries for a day; what is left then is kept here for two weeks.
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

resource "aws_iam_role" "sender" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.sender_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "sender_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "sender" {
  name   = "send-to-collector"
  role   = aws_iam_role.sender.id
  policy = data.aws_iam_policy_document.sender.json
}

data "aws_iam_policy_document" "sender" {
  statement {
    actions   = ["events:PutEvents"]
    resources = [var.event_bus_arn]
  }
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = data.aws_iam_policy_document.undelivered.json
}

data "aws_iam_policy_document" "undelivered" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.undelivered.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.changes.arn]
    }
  }
}
