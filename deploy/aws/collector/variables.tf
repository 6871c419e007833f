variable "organization_id" {
  description = "The organization whose accounts send events; it becomes the key of each record."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "Expected an organization such as o-exampleorg."
  }
}

variable "kafka_cluster_arn" {
  description = "The MSK cluster, with authentication by IAM enabled."
  type        = string
}

variable "kafka_bootstrap" {
  description = "Its bootstrap brokers for authentication by IAM, HOST:9098 with commas between."
  type        = string
}

variable "kafka_topic" {
  description = "The topic of changes."
  type        = string
  default     = "rooftree.changes"
}

variable "subnet_ids" {
  description = "Private subnets from which the cluster is reached, with a way to SQS, STS and CloudWatch Logs."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups that the cluster lets in."
  type        = list(string)
}

variable "package" {
  description = "The ZIP file with forwarder.py and what it needs; see deploy/aws/forwarder."
  type        = string
}

variable "name" {
  description = "What the bus, the queues and the function are called."
  type        = string
  default     = "rooftree"
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
