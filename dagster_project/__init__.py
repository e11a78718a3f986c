"""From e-mail service provider exports to an unsubscribe rate that can be trusted."""
