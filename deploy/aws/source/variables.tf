variable "event_bus_arn" {
  description = "The event bus of the collector, to which events are sent on."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]+$", var.event_bus_arn))
    error_message = "Expected the ARN of an event bus."
  }
}

variable "services" {
  description = "Whose events are sent on: organizations and account in the management account and in those of delegated administrators, iam wherever principals are to be known."
  type        = set(string)
  default     = ["organizations", "account", "iam"]

  validation {
    condition     = length(setsubtract(var.services, ["organizations", "account", "iam"])) == 0
    error_message = "Expected organizations, account and iam, or some of them."
  }
}

variable "name" {
  description = "What the rule, the role and the queue are called."
  type        = string
  default     = "rooftree-source"
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
