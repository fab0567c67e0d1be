"""The benchmark: what is compared under which protocol, how sure the numbers are, and the tables made of them."""
