"""Messages of the orchestrator's services."""
