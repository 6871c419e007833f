output "rule_arn" {
  description = "The rule on the default bus."
  value       = aws_cloudwatch_event_rule.changes.arn
}

output "undelivered_queue_arn" {
  description = "Where events wait that could not be sent on; an alarm on its length is advised."
  value       = aws_sqs_queue.undelivered.arn
}
