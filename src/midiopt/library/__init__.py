"""Reading a finished database: what every command but analyze is made of."""
