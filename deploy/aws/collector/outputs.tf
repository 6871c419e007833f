output "event_bus_arn" {
  description = "Where accounts send events on to: `event_bus_arn` of the source module."
  value       = aws_cloudwatch_event_bus.changes.arn
}

output "undelivered_queue_arn" {
  description = "What did not reach Kafka; an alarm tells when there is something."
  value       = aws_sqs_queue.undelivered.arn
}
