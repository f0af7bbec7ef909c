"""Why things were compiled, and when they ran: what an executor tells, put into the user's terms."""
