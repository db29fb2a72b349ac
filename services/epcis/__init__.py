"""The EPCIS 2.0 service: capture, queries, subscriptions."""
