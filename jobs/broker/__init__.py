"""What carries wake-ups from whoever saves to the workers. It owns no job: losing all of its messages loses nothing.

base       what this project asks of a broker, and which one is in use
redis      Redis, unless told otherwise
rabbitmq   RabbitMQ, by `BROKER_URL`
errands    a thread that sends for a whole process
"""
