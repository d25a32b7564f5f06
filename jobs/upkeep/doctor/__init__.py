"""What the doctor looks at for `jobs` and for the installation as a whole, in the order in which things are needed."""

from jobs.upkeep.doctor import installation, postgres, rabbitmq, redis, work

__all__ = ["installation", "postgres", "rabbitmq", "redis", "work"]
