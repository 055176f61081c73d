from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "noren.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
