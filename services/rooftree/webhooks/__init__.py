"""
Audit events by HTTP, for those who have no Kafka.
"""
