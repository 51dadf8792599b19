"""Publishing: what each listing may show, and the protocol that writes it without ever relisting a sold unit."""
