"""
The campaign blueprint: which facts about leads are worth finding out, from where, by which method.
"""
