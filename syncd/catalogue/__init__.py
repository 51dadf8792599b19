"""The catalogue: SKUs and their other names, kits, and what each listing of an account is made of."""
