// Shows the API description. The token that is pasted under "Authorize" stays in this page alone.
const reference = document.getElementById("reference");
window.SwaggerUIBundle({
  url: reference.dataset.description,
  domNode: reference,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  // By default swagger-ui asks a public service to validate the description.
  validatorUrl: null,
});
