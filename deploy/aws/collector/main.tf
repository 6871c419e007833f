# From the accounts of an organization into Kafka: a bus that all of them may send to, a queue, and a function that
# produces what is in it.
#
# EventBridge has no target that is Kafka: Amazon MSK is a source of EventBridge Pipes, not a target.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
#
# The queue stands before the function so that an outage of Kafka of up to two weeks loses nothing.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # As long as the function may take; a message is hidden from others for six times that.
  timeout_seconds = 60

  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_apachekafkaapisforamazonmskclusters.html
  topic_arn = "${replace(var.kafka_cluster_arn, ":cluster/", ":topic/")}/${var.kafka_topic}"
}

resource "aws_cloudwatch_event_bus" "changes" {
  name = var.name
  tags = var.tags
}

resource "aws_cloudwatch_event_bus_policy" "organization" {
  event_bus_name = aws_cloudwatch_event_bus.changes.name
  policy         = data.aws_iam_policy_document.bus.json
}

data "aws_iam_policy_document" "bus" {
  statement {
    sid       = "AccountsOfTheOrganization"
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.changes.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = [var.organization_id]
    }
  }
}

resource "aws_cloudwatch_event_rule" "all" {
  name           = var.name
  description    = "Everything that accounts send on, which is what CloudTrail tells"
  event_bus_name = aws_cloudwatch_event_bus.changes.name
  tags           = var.tags

  # No account may make up events of AWS services: their sources cannot be given to PutEvents.
  event_pattern = jsonencode({ source = ["aws.organizations", "aws.account", "aws.iam"] })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.all.name
  event_bus_name = aws_cloudwatch_event_bus.changes.name
  arn            = aws_sqs_queue.changes.arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

resource "aws_sqs_queue" "changes" {
  name                       = var.name
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 6 * local.timeout_seconds
  sqs_managed_sse_enabled    = true
  tags                       = var.tags

  # A broker that is away for some days is no reason to give a message up.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.undelivered.arn
    maxReceiveCount     = 1000
  })
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "changes" {
  queue_url = aws_sqs_queue.changes.id
  policy    = data.aws_iam_policy_document.queue["changes"].json
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = data.aws_iam_policy_document.queue["undelivered"].json
}

data "aws_iam_policy_document" "queue" {
  for_each = {
    changes     = aws_sqs_queue.changes.arn
    undelivered = aws_sqs_queue.undelivered.arn
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [each.value]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.all.arn]
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.name}-undelivered"
  alarm_description   = "Events of AWS did not reach Kafka: Rooftree's view may be wrong until it is reconciled"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}
